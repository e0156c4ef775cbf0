/**
 * Notifications about one folder, without sleeping: notifications on one tree arrive in the order of the changes
 * (PROTOCOL §6), so once a later change of a marker object of the same tree has been heard of, nothing about the folder
 * can still be on its way.
 */
import type { Client } from './client.ts';
import { Failure } from './expect.ts';
import type { Notice } from './wire/message.ts';

export interface Observation {
  /** What came for this watcher since the last call, oldest first. */
  notices(watcher: Client): Promise<readonly Notice[]>;
  /** The same as text, paths relative to the folder: `CREATED /a`; the folder itself is `/`. */
  events(watcher: Client): Promise<readonly string[]>;
}

interface Watch {
  readonly notices: Notice[];
  marked: number;
  wake: () => void;
}

export interface ObserveOptions {
  readonly owner: Client;
  readonly folder: string;
  readonly watchers: readonly Client[];
  /** An object id, not in use, in the same tree. */
  readonly marker: string;
  readonly timeoutMs: number;
  /** Called with what ends the observation. */
  readonly onEnd: (stop: () => void) => void;
}

export async function observe(options: ObserveOptions): Promise<Observation> {
  const observation = new FolderObservation(options);
  await observation.begin();
  return observation;
}

class FolderObservation implements Observation {
  readonly #options: ObserveOptions;
  readonly #watches = new Map<Client, Watch>();
  #marks = 0;

  constructor(options: ObserveOptions) {
    this.#options = options;
  }

  async begin(): Promise<void> {
    const { owner, watchers, marker, onEnd } = this.#options;
    for (const watcher of watchers) {
      const watch: Watch = { notices: [], marked: 0, wake: () => undefined };
      this.#watches.set(watcher, watch);
      onEnd(watcher.connection.listen((notice) => this.#take(watch, notice)));
    }
    const everyone = watchers.map((watcher) => watcher.user);
    await owner.given(marker, {
      acl: { users: Object.fromEntries(everyone.map((user) => [user, ['read-data']])) },
      subscriptions: Object.fromEntries(everyone.map((user) => [user, { events: ['updated'], depth: 0 }])),
    });
    // What the preparation of the case caused may still be on its way.
    await this.#flush([...this.#watches.values()]);
    for (const watch of this.#watches.values()) watch.notices.length = 0;
  }

  async notices(watcher: Client): Promise<readonly Notice[]> {
    const watch = this.#watches.get(watcher);
    if (!watch) throw new Error(`${watcher.user} is not observed`);
    await this.#flush([watch]);
    return watch.notices.splice(0);
  }

  async events(watcher: Client): Promise<readonly string[]> {
    const heard = await this.notices(watcher);
    return heard.map(({ event, resource }) => `${event} ${resource.slice(this.#options.folder.length) || '/'}`);
  }

  #take(watch: Watch, notice: Notice): void {
    const { folder, marker } = this.#options;
    const { resource } = notice;
    if (resource !== marker) {
      if (resource === folder || resource.startsWith(`${folder}/`)) watch.notices.push(notice);
    } else if (notice.event === 'UPDATED') {
      watch.marked = Number(/"data"\s*:\s*(\d+)/.exec(notice.body.toString())?.[1] ?? watch.marked);
      watch.wake();
    }
  }

  async #flush(watches: readonly Watch[]): Promise<void> {
    const { owner, marker } = this.#options;
    this.#marks += 1;
    const mark = this.#marks;
    await owner.changed(marker, { data: mark });
    await Promise.all(watches.map((watch) => this.#reached(watch, mark)));
  }

  #reached(watch: Watch, mark: number): Promise<void> {
    const { marker, timeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () =>
          reject(new Failure(`the notification UPDATED ${marker} (data ${mark}) within ${timeoutMs} ms`, 'nothing')),
        timeoutMs,
      );
      watch.wake = () => {
        if (watch.marked < mark) return;
        clearTimeout(late);
        resolve();
      };
      watch.wake();
    });
  }
}
