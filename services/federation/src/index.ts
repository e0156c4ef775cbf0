export {
  createFederationService,
  FEDERATION_DEFAULTS,
  type FederationDeps,
  type FederationOptions,
  type FederationService,
} from './federation.ts';
