import type { RunOptions } from '@fosp/conformance';

/** Of the conformance suite where it runs on a machine that has other things to do: it judges what is answered, not how soon. */
export const PATIENT: Pick<RunOptions, 'timeoutMs'> = { timeoutMs: 60_000 };
