/** A whole server as a library: for tests, measurements, and whoever wants one inside a program of their own. */

import type { Transport } from '@fosp/bus';
import { createLog, type Environment, type Log, Metrics, readEnvironment } from '@fosp/runtime';
import { type Addresses, addressesOf } from './addresses.ts';
import { composeServices, type Services } from './compose.ts';
import { STANDALONE_VARIABLES } from './config.ts';
import { openDataFolder } from './data-folder.ts';

export interface StandaloneOptions {
  /** Silent by default. */
  readonly log?: Log;
  readonly metrics?: Metrics;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  /** Stands between the services, instead of the in-process bus as it is. */
  readonly transport?: Transport;
}

export interface Standalone {
  /**
   * Resolves once clients can connect, with where. Rejects with `EnvironmentError` or `StartError`, and leaves nothing
   * running then.
   */
  start(): Promise<Addresses>;
  /** Closes connections, ends what is in flight. Called once, after `start` resolved. */
  drain(): Promise<void>;
  /** Resolves once every change so far was told to whom it concerns: for tests. */
  settle(): Promise<void>;
}

/** A server with these settings; `FOSP_WS_PORT` 0 takes any free port. */
export function createStandalone(environment: Environment, options: StandaloneOptions = {}): Standalone {
  let services: Services | undefined;

  return {
    start: async () => {
      const settings = readEnvironment(environment, STANDALONE_VARIABLES);
      const dataDirectory = await openDataFolder(settings.objects.dataDirectory);
      const log = options.log ?? (await createLog({ name: 'standalone', level: 'silent' }));
      services = await composeServices({ metrics: new Metrics(), clock: Date.now, ...options, settings, log });
      const ports = await services.start().catch(async (error: unknown) => {
        await services?.drain();
        throw error;
      });
      return addressesOf({ ports, domains: settings.gateway.domains, dataDirectory });
    },
    drain: async () => {
      await services?.drain();
    },
    settle: async () => {
      await services?.settle();
    },
  };
}
