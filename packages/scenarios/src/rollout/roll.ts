/**
 * Every process of a service replaced by a new one, as Kubernetes does it with `maxSurge: 1` and `maxUnavailable: 0`: a new one is
 * started, waited for until it is ready and given work, and only then an old one asked to end.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Cluster, Pod, ServiceName } from '@fosp/testkit';

export interface Replaced {
  readonly old: string;
  readonly new: string;
  /** Seconds from the signal to the exit. */
  readonly seconds: number;
  /** What was wrong with its end: it is to drain, and exit 0. */
  readonly wrong: readonly string[];
}

export interface RollOptions {
  /** The bundle of the new ones; what they ran before by default. */
  readonly release?: string | undefined;
  /** Called when an old one is about to be asked to end, and awaited when it has ended. */
  readonly ending?: (pod: Pod) => (replaced: Replaced) => Promise<void>;
}

const LOOK_AGAIN_MS = 100;

/** The cluster needs a spare place for the service. */
export async function rollOut(cluster: Cluster, service: ServiceName, options: RollOptions = {}): Promise<Replaced[]> {
  const pods = cluster.podsOf(service);
  const replaced: Replaced[] = [];
  for (const old of pods.filter(({ isRunning }) => isRunning)) {
    const fresh = pods.find(({ isRunning }) => !isRunning);
    if (fresh === undefined) {
      throw new Error(`There is no place for another ${service}`);
    }
    await fresh.start(options.release);
    await untilGivenWork(cluster, fresh);
    const ended = options.ending?.(old);
    const since = performance.now();
    const { code, signal } = await old.stop();
    const seconds = Math.round((performance.now() - since) / 100) / 10;
    const wrong = code === 0 ? [] : [`${old.name} ended with ${code ?? signal} after ${seconds} s`];
    const one = { old: old.name, new: fresh.name, seconds, wrong };
    replaced.push(one);
    await ended?.(one);
  }
  return replaced;
}

/** Of the others nobody has to be told: they take calls from when they are ready. */
async function untilGivenWork({ balancers }: Cluster, { program, name }: Pod): Promise<void> {
  if (program !== 'gateway') {
    return;
  }
  for (const balancer of balancers) {
    while (!(await balancer.isUp(name))) {
      await pause(LOOK_AGAIN_MS);
    }
  }
}
