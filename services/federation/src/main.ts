import { runOnBus } from '@fosp/bus/process';
import { createFederationService } from './federation.ts';

await runOnBus('federation', { variables: {}, create: createFederationService });
