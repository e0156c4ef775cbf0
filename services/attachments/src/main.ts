import { runOnBus } from '@fosp/bus/process';
import { ATTACHMENTS_VARIABLES, S3_VARIABLE } from './config.ts';
import { openAttachments } from './open.ts';

await runOnBus('attachments', {
  variables: { ...ATTACHMENTS_VARIABLES, s3Endpoint: S3_VARIABLE },
  create: openAttachments,
});
