import { runOnBus } from '@fosp/bus/process';
import { FEDERATION_VARIABLES, federationConfig } from './config.ts';
import { openFederation } from './federation.ts';

await runOnBus('federation', {
  variables: FEDERATION_VARIABLES,
  create: async (parts) => {
    const federation = await openFederation({ ...parts, config: federationConfig(parts.settings) });
    return { start: federation.start, drain: () => federation.drain().then(federation.close) };
  },
});
