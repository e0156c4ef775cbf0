export { GATEWAY_VARIABLES, type GatewayConfig, type GatewayLimits, gatewayConfig } from './config.ts';
export { createGatewayService, type GatewayDeps, type GatewayService } from './gateway.ts';
export type { ListeningPorts } from './server.ts';
