import { runOnBus } from '@fosp/bus/process';
import { ATTACHMENTS_VARIABLES } from './config.ts';
import { openAttachments } from './open.ts';

await runOnBus('attachments', { variables: ATTACHMENTS_VARIABLES, create: openAttachments });
