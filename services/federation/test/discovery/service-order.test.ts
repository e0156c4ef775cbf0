import fc from 'fast-check';
import { expect, it } from 'vitest';
import { boundServices, orderServices } from '../../src/discovery/service-order.ts';

const ranked = fc.record({ priority: fc.integer({ min: 0, max: 3 }), weight: fc.integer({ min: 0, max: 65_535 }) });
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** The numbers in turn. */
function from(numbers: readonly number[]): () => number {
  let at = 0;
  return () => numbers[at++ % numbers.length] ?? 0;
}

it('F69 keeps every server, by priority', () => {
  const chances = fc.array(chance, { minLength: 1 });
  fc.assert(
    fc.property(fc.array(ranked), chances, (services, numbers) => {
      const ordered = orderServices(services, from(numbers));
      expect(new Set(ordered)).toEqual(new Set(services));
      expect(ordered.map(({ priority }) => priority)).toEqual(services.map(({ priority }) => priority).sort());
    }),
  );
});

it('F69 gives each of one priority the share that its weight says', () => {
  const services = [
    { name: 'large', priority: 1, weight: 300 },
    { name: 'none', priority: 1, weight: 0 },
    { name: 'small', priority: 1, weight: 100 },
  ];
  const first = new Map<string, number>();
  const draws = 4000;
  for (let draw = 0; draw < draws; draw++) {
    // Evenly over the range, so that nothing here is left to chance.
    const [winner] = orderServices(services, () => (draw + 0.5) / draws);
    first.set(winner?.name ?? '', (first.get(winner?.name ?? '') ?? 0) + 1);
  }
  expect(first.get('large')).toBeGreaterThan(0.74 * draws);
  expect(first.get('small')).toBeGreaterThan(0.24 * draws);
  expect(first.get('none')).toBeGreaterThan(0);
  expect(first.get('none')).toBeLessThan(0.01 * draws);
});

it('F69 leaves out the same servers whatever order they came in', () => {
  const service = fc.record({
    priority: fc.integer({ min: 0, max: 2 }),
    weight: fc.integer({ min: 0, max: 2 }),
    target: fc.constantFrom('a', 'b', 'c'),
    port: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(service, { minLength: 4, maxLength: 20 }), fc.func(fc.integer()), (services, by) => {
      const shuffled = services.toSorted((a, b) => by(a) - by(b));
      expect(boundServices(shuffled, 3)).toEqual(boundServices(services, 3));
      expect(boundServices(services, 3)).toHaveLength(3);
    }),
  );
});
