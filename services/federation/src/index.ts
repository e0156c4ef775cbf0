export { FEDERATION_VARIABLES, type FederationConfig, federationConfig } from './config.ts';
export {
  createFederationService,
  FEDERATION_DEFAULTS,
  type FederationDeps,
  type FederationOptions,
  type FederationService,
} from './federation.ts';
