/** Lists of domains: `realworld.lit` is that domain, `*.lit` all below `lit`, at any depth, but not `lit` itself. */
import { normaliseDomain } from '@fosp/protocol';
import { type Kind, splitList } from '@fosp/runtime';

export interface DomainPatterns {
  readonly isEmpty: boolean;
  /** Is this domain, normalised, one of them? */
  matches(domain: string): boolean;
}

const WILDCARD = '*.';

/** Throws an `Error` that names the entry which is none. */
export function domainPatterns(entries: readonly string[]): DomainPatterns {
  const exact = new Set<string>();
  const parents = new Set<string>();
  for (const entry of entries) {
    if (entry.startsWith(WILDCARD)) {
      parents.add(normaliseDomain(entry.slice(WILDCARD.length)));
    } else {
      exact.add(normaliseDomain(entry));
    }
  }
  return {
    isEmpty: exact.size + parents.size === 0,
    matches: (domain) => exact.has(domain) || parentsOf(domain).some((parent) => parents.has(parent)),
  };
}

function parentsOf(domain: string): string[] {
  const labels = domain.split('.');
  return labels.slice(1).map((_, index) => labels.slice(index + 1).join('.'));
}

/** As they stand between commas, each known to be a pattern. */
export const DOMAIN_LIST: Kind<readonly string[]> = {
  allowed: 'domains such as realworld.lit, or *.lit for all below one, comma-separated',
  parse: (given) => {
    const entries = splitList(given);
    domainPatterns(entries);
    return entries;
  },
};
