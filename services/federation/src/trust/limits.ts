import type { AdmissionLimits } from './admission.ts';
import type { DialBackLimits } from './dial-back.ts';

export const TRUST_LIMITS: AdmissionLimits & DialBackLimits = {
  claims: 512,
  claimsPerDomain: 64,
  claimsPerAddress: 64,
  claimsOfStrangers: 384,
  domainsBelieved: 10_000,
  dialBacksPerDomain: 4,
  claimSeconds: 15,
  freshLookups: { perSecond: 1 / 30, burst: 1 },
  freshLookupsRemembered: 10_000,
  greetingSeconds: 5,
  verifySeconds: 5,
  verifyServers: 3,
  dialBackRate: { perSecond: 1, burst: 10 },
  dialBacksRemembered: 10_000,
};
