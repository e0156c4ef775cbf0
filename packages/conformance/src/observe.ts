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

export async function observe({
  owner,
  folder,
  watchers,
  marker,
  timeoutMs,
  onEnd,
}: ObserveOptions): Promise<Observation> {
  const watches = new Map<Client, Watch>();
  for (const watcher of watchers) {
    const watch: Watch = { notices: [], marked: 0, wake: () => undefined };
    watches.set(watcher, watch);
    onEnd(watcher.connection.listen((notice) => take(watch, notice)));
  }
  const everyone = watchers.map((watcher) => watcher.user);
  await owner.given(marker, {
    acl: { users: Object.fromEntries(everyone.map((user) => [user, ['read-data']])) },
    subscriptions: Object.fromEntries(everyone.map((user) => [user, { events: ['updated'], depth: 0 }])),
  });
  let count = 0;

  function take(watch: Watch, notice: Notice): void {
    if (notice.resource === folder || notice.resource === `${folder}/` || notice.resource.startsWith(`${folder}/`)) {
      if (notice.resource !== marker) watch.notices.push(notice);
    }
    if (notice.resource !== marker || notice.event !== 'UPDATED') return;
    watch.marked = Number(/"data"\s*:\s*(\d+)/.exec(notice.body.toString())?.[1] ?? watch.marked);
    watch.wake();
  }

  async function flush(flushed: readonly Watch[]): Promise<void> {
    count += 1;
    const mark = count;
    await owner.changed(marker, { data: mark });
    await Promise.all(flushed.map((watch) => reached(watch, mark)));
  }

  function reached(watch: Watch, mark: number): Promise<void> {
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

  async function notices(watcher: Client): Promise<readonly Notice[]> {
    const watch = watches.get(watcher);
    if (!watch) throw new Error(`${watcher.user} is not observed`);
    await flush([watch]);
    return watch.notices.splice(0);
  }

  // What the preparation of the case caused may still be on its way.
  await flush([...watches.values()]);
  for (const watch of watches.values()) watch.notices.length = 0;

  return {
    notices,
    async events(watcher) {
      const heard = await notices(watcher);
      return heard.map(({ event, resource }) => `${event} ${resource.slice(folder.length) || '/'}`);
    },
  };
}
