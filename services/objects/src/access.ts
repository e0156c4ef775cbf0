/**
 * The order in which a request is judged (PROTOCOL §4): no right at all 403, no such object 404 or no parent 412, missing
 * right 403, conditions 412 or 304, then 405 and 409. Who holds no right learns nothing, not even whether there is an object
 * or a tree.
 */
import { domainOf, type FospError, formatResourceId, fospError, type RightsMask, rightNames } from '@fosp/protocol';

/** What of an object is asked for, by whom. `path` is `''` for the root. */
export interface Target {
  readonly user: string;
  readonly tree: string;
  readonly path: string;
}

/** The domains whose trees live here. */
export type Domains = ReadonlySet<string>;

/**
 * What who holds no right is told. A tree of another domain is nobody's secret.
 */
export function refusal({ tree, path }: Target, domains: Domains): FospError {
  return domains.has(domainOf(tree))
    ? fospError('forbidden', `You have no right on ${formatResourceId({ tree, path })}.`)
    : wrongServer(tree);
}

export function wrongServer(user: string): FospError {
  return fospError('wrong-server', `This server does not serve the domain ${domainOf(user)}.`);
}

export function noObject({ tree, path }: Target): FospError {
  return fospError('not-found', `There is no object ${formatResourceId({ tree, path })}.`);
}

/** @throws forbidden, naming the rights that are missing */
export function need(rights: RightsMask, needed: RightsMask, { tree, path }: Pick<Target, 'tree' | 'path'>): void {
  const missing = needed & ~rights;
  if (missing !== 0) {
    const names = rightNames(missing).join(', ');
    throw fospError('forbidden', `This needs ${names} on ${formatResourceId({ tree, path })}.`);
  }
}
