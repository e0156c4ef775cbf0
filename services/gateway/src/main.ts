import { runOnBus } from '@fosp/bus/process';
import { GATEWAY_VARIABLES, gatewayConfig } from './config.ts';
import { createGatewayService } from './gateway.ts';

await runOnBus('gateway', {
  variables: GATEWAY_VARIABLES,
  create: (parts) => {
    const gateway = createGatewayService({ ...parts, config: gatewayConfig(parts.settings) });
    const start = async () => parts.log.info(await gateway.start(), 'serving');
    return { ...gateway, start };
  },
});
