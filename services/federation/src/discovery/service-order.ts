/** In which order the servers of one domain are tried (RFC 2782): by priority, and within one by chance, by weight. */

import { shuffled } from './shuffle.ts';

export interface Ranked {
  /** The lowest goes first. */
  readonly priority: number;
  /** Its share among those of the same priority. */
  readonly weight: number;
}

/** `random` gives numbers from 0 up to but not including 1. */
export function orderServices<Service extends Ranked>(services: readonly Service[], random: () => number): Service[] {
  const priorities = [...new Set(services.map(({ priority }) => priority))].sort((a, b) => a - b);
  return priorities.flatMap((priority) =>
    orderByWeight(
      services.filter((service) => service.priority === priority),
      random,
    ),
  );
}

function orderByWeight<Service extends Ranked>(services: readonly Service[], random: () => number): Service[] {
  // Those without weight first, so that each has a small chance to be picked; by chance alone where none has any.
  const left = shuffled(services, random).sort((a, b) => Math.sign(a.weight) - Math.sign(b.weight));
  const ordered: Service[] = [];
  while (left.length > 0) {
    const total = left.reduce((sum, { weight }) => sum + weight, 0);
    const picked = left.splice(indexAt(left, Math.floor(random() * (total + 1))), 1);
    ordered.push(...picked);
  }
  return ordered;
}

/** Of the first whose weight, with those before it, reaches `mark`. */
function indexAt(services: readonly Ranked[], mark: number): number {
  let sum = 0;
  return services.findIndex(({ weight }) => {
    sum += weight;
    return sum >= mark;
  });
}

/**
 * The first `most` of them, the same each time, whatever order they came in: what a domain's servers are must not depend
 * on chance, since its trust hangs on it.
 */
export function boundServices<Service extends Ranked & { readonly target: string; readonly port: number }>(
  services: readonly Service[],
  most: number,
): Service[] {
  return services
    .toSorted(
      (a, b) => a.priority - b.priority || b.weight - a.weight || compare(a.target, b.target) || a.port - b.port,
    )
    .slice(0, most);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
