import { describe, expect, it } from 'vitest';
import { PeerLabels } from '../src/peers/peer-labels.ts';

describe('labels of domains in metrics', () => {
  it('are for those configured and those reached first, up to a number, and shared by all others', () => {
    const labels = new PeerLabels(['configured.lit'], 3);
    expect(labels.of('never-reached.lit')).toBe('other');
    for (const domain of ['first.lit', 'second.lit', 'third.lit', 'first.lit']) {
      labels.reached(domain);
    }
    expect(['configured.lit', 'first.lit', 'second.lit', 'third.lit'].map((domain) => labels.of(domain))).toEqual([
      'configured.lit',
      'first.lit',
      'second.lit',
      'other',
    ]);
  });

  it('are no more than the number, however many are configured', () => {
    const labels = new PeerLabels(['one.lit', 'two.lit', 'three.lit'], 2);
    expect(['one.lit', 'two.lit', 'three.lit'].map((domain) => labels.of(domain))).toEqual([
      'one.lit',
      'two.lit',
      'other',
    ]);
  });
});
