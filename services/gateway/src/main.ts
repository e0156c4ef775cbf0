import { Bus, InProcessTransport } from '@fosp/bus';
import { runProcess } from '@fosp/runtime';
import { GATEWAY_VARIABLES, gatewayConfig } from './config.ts';
import { createGatewayService } from './gateway.ts';

await runProcess('gateway', {
  variables: GATEWAY_VARIABLES,
  create: ({ settings, log, metrics }) => {
    const bus = new Bus(new InProcessTransport());
    const service = createGatewayService({ bus, config: gatewayConfig(settings), clock: Date.now, log, metrics });
    return { ...service, start: async () => log.info(await service.start(), 'listening') };
  },
});
