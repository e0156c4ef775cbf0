/** What a server that connected to us says it is, and may prove it by (PROTOCOL §9). */
export interface Claim {
  /** Normalised. */
  readonly domain: string;
  /** Ours that it connected to. */
  readonly to: string;
  /** Of its socket; empty where that says nothing. */
  readonly address: string;
  /** Made by its domain's servers for `nonce`, which we gave it. */
  readonly key: string | undefined;
  readonly nonce: string | undefined;
  /** That it showed a certificate for, which was checked. */
  readonly certified: readonly string[];
}

/** What came of one proof. `unknown`: it could not be found out now. */
export type Verdict = { readonly kind: 'proven' } | { readonly kind: 'refused' | 'unknown'; readonly why: string };
