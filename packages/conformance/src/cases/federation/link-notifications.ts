/** PROTOCOL §9: which notifications of a server are believed, and whom they are told to. */
import type { Case, Context } from '../../case.ts';
import type { Client } from '../../client.ts';
import { expectEqual, Failure } from '../../expect.ts';
import type { Connection } from '../../wire/connection.ts';
import type { Notice } from '../../wire/message.ts';

const TIME = '2026-01-01T00:00:00.000Z';

function viewOf(owner: string, data: unknown): string {
  return JSON.stringify({ owner, btime: TIME, mtime: TIME, data });
}

/** What a client hears of the domain that is spoken for, until a last notification that is sent to end it. */
class Ear {
  readonly #heard: Notice[] = [];
  readonly #client: Client;
  readonly #t: Context;

  constructor(t: Context, client: Client) {
    this.#t = t;
    this.#client = client;
    client.connection.listen((notice) => {
      if (notice.resource.split(/[@/]/)[1] === t.spokenFor) this.#heard.push(notice);
    });
  }

  /** Sends the last one over this link, behind all others, and returns what came before it. */
  async heardBefore(link: Connection): Promise<string[]> {
    const last = `${this.#t.name('last')}@${this.#t.spokenFor}/`;
    const stop = Promise.withResolvers<void>();
    const ended = this.#client.connection.listen(({ resource }) => resource === last && stop.resolve());
    const late = setTimeout(() => {
      stop.reject(new Failure(`the notification DELETED ${last} within ${this.#t.timeoutMs} ms`, 'nothing'));
    }, this.#t.timeoutMs);
    link.send(`DELETED ${last}\r\nTo: ${this.#client.user}\r\n`);
    await stop.promise.finally(() => {
      clearTimeout(late);
      ended();
    });
    return this.#heard.splice(0).flatMap(({ event, resource }) => (resource === last ? [] : [`${event} ${resource}`]));
  }
}

export const linkNotifications: readonly Case[] = [
  {
    id: 'link-notifications',
    covers: ['F59', 'F58'],
    section: '9',
    needs: 'link',
    title: 'a notification of the other domain’s own tree reaches its user, byte by byte, without headers',
    async run(t) {
      const host = await t.shared('alice');
      const link = await t.link();
      const sister = `sister@${t.spokenFor}`;
      const heard = Promise.withResolvers<Notice>();
      const body = viewOf(sister, '[1.10] \\u00e9 é');
      const stop = host.connection.listen((notice) => {
        if (notice.resource === `${sister}/a`) heard.resolve(notice);
      });
      const ear = new Ear(t, host);
      for (const header of ['To', 'User']) link.send(`UPDATED ${sister}/a\r\n${header}: ${host.user}\r\n\r\n${body}`);
      link.send(`CREATED ${sister}/b\r\nUser: ${host.account.name}\r\n\r\n${body}`);
      // Of which users are shown no body, whatever comes: every notification is checked for that.
      link.send(`DELETED ${sister}/b\r\nTo: ${host.user}\r\n\r\n${body}`);
      const events = [`UPDATED ${sister}/a`, `UPDATED ${sister}/a`, `CREATED ${sister}/b`, `DELETED ${sister}/b`];
      expectEqual(await ear.heardBefore(link), events, 'what was heard');
      const notice = await heard.promise;
      stop();
      expectEqual([notice.body.toString(), notice.headers.size], [body, 0], 'body, and headers');
    },
  },
  {
    id: 'link-notifications-forged',
    covers: ['F59', 'F65'],
    section: '9',
    needs: 'link',
    title: 'one of another domain’s tree, or for nobody here, is told to nobody, and the link goes on',
    async run(t) {
      const [host, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const folder = await t.folder(host, { data: 'true' });
      const observation = await t.observe(host, folder, [host, bob]);
      const link = await t.link();
      const ear = new Ear(t, host);
      const forged = viewOf(host.user, 'forged');
      for (const resource of [folder, `${bob.user}/a`, 'sister@no-such-domain.invalid/a', `x@below.${t.spokenFor}/a`]) {
        for (const header of ['To', 'User']) {
          link.send(`UPDATED ${resource}\r\n${header}: ${host.user}\r\n\r\n${forged}`);
          link.send(`DELETED ${resource}\r\n${header}: ${bob.user}\r\n`);
        }
      }
      const own = `sister@${t.spokenFor}`;
      for (const to of [`sister@${t.spokenFor}`, 'sister@no-such-domain.invalid', '@', '']) {
        link.send(`UPDATED ${own}/a\r\nTo: ${to}\r\n\r\n${viewOf(own, 1)}`);
      }
      link.send(`UPDATED ${own}/a\r\n\r\n${viewOf(own, 1)}`);
      expectEqual(await ear.heardBefore(link), [], 'what was heard');
      for (const client of [host, bob]) {
        expectEqual(await observation.events(client), [], `notifications about the tree of ${host.user}`);
      }
    },
  },
];
