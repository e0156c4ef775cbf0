/** One client at work: what it asks for next, and what its answers mean for what is known. */
import type { Chance } from './chance.ts';
import type { Client, Question, Reply } from './client.ts';
import { contentsOf, dataOf, fileBytes, fileMarkOf, fileName } from './content.ts';
import { fileSize, hadNoEffect, questionOf, textOf } from './question.ts';
import type { Attempt, ChangeKind, Slot } from './slot.ts';
import type { Tally } from './tally.ts';
import type { Member } from './world.ts';

export interface WorkerOptions {
  readonly member: Member;
  readonly client: Client;
  /** What others change, to be read. */
  readonly others: readonly Slot[];
  readonly chance: Chance;
  readonly tally: Tally;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

export class Worker {
  readonly #options: WorkerOptions;
  #nonces = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Does one thing by chance. */
  async step(): Promise<void> {
    const { chance, client, member, others } = this.#options;
    const dice = chance.next();
    if (dice < 0.45) {
      await this.change(chance.pick(member.slots));
    } else if (dice < 0.55) {
      await this.count();
    } else if (dice < 0.75) {
      await this.lookAt(chance.pick(others));
    } else if (dice < 0.85) {
      await this.readFile(chance.pick(chance.happens(0.5) ? member.slots : others));
    } else if (dice < 0.93) {
      await this.list();
    } else if (dice < 0.95) {
      client.comeAnew?.();
    } else {
      await this.see(chance.pick(member.slots));
    }
  }

  /** Looks at a slot of its own, then changes it or its child. */
  async change(slot: Slot): Promise<void> {
    if (await this.see(slot)) {
      const { chance } = this.#options;
      const { child } = slot;
      if (child !== undefined && slot.isSettled && slot.certain !== undefined && chance.happens(0.3)) {
        await this.#changeChild(child);
      } else {
        await this.#ask(slot, this.#nextKind(slot));
      }
    }
  }

  /** Until no outcome of this slot is unknown: a change that goes well ends all that were asked for before it. */
  async settle(slot: Slot): Promise<void> {
    if (!slot.isSettled && (await this.see(slot)) && !slot.isSettled) {
      await this.#ask(slot, slot.certain === undefined ? 'CREATE' : 'UPDATE');
    }
  }

  /** Looks at a slot of its own. False where that is not answered, or wrong. */
  async see(slot: Slot): Promise<boolean> {
    const { tally, now } = this.#options;
    const unknown = slot.unknown.length;
    const question = { type: 'SELECT', resource: slot.resource } as const;
    const reply = await this.#send(question, [404]);
    if (reply.kind === 'lost' || (reply.kind === 'refused' && reply.status !== 404)) {
      return false;
    }
    const [text, etag] = reply.kind === 'done' ? [textOf(reply.body), reply.etag] : [];
    const step = slot.step;
    const problem = slot.seen(text, etag, now());
    if (problem !== undefined) {
      tally.wrongly(problem);
      return false;
    }
    if (slot.step > step) {
      tally.counts.settled += unknown;
      tally.counts.settledDone++;
    }
    return true;
  }

  /** Asks for the next step of what all members of its group change. */
  async count(): Promise<void> {
    const { member, tally, now } = this.#options;
    const { counter } = member.board;
    const since = counter.step;
    const found = await this.#send({ type: 'SELECT', resource: counter.resource });
    if (found.kind !== 'done') {
      return;
    }
    const text = textOf(found.body);
    this.#judge(counter.seen(text, { since, etag: found.etag, now: now() }));
    const contents = contentsOf(text);
    if (typeof contents === 'string') {
      return;
    }
    const mark = { step: contents.data.step + 1, nonce: this.#nonce() };
    counter.begin(mark, now());
    const body = JSON.stringify({ data: dataOf(mark) });
    const reply = await this.#send({ type: 'UPDATE', resource: counter.resource, body, ifMatch: found.etag }, [412]);
    if (reply.kind === 'done') {
      tally.counts.acknowledged++;
      this.#judge(counter.acknowledged(mark.step, now()));
      counter.track.shown(mark.step, reply.etag);
    }
  }

  async lookAt(slot: Slot): Promise<void> {
    const since = slot.position;
    const reply = await this.#send({ type: 'SELECT', resource: slot.resource }, [404]);
    if (reply.kind === 'done') {
      const found = contentsOf(textOf(reply.body));
      this.#judge(typeof found === 'string' ? `${slot.resource} ${found}` : slot.couldShow(found, since));
    } else if (reply.kind === 'refused' && reply.status === 404) {
      this.#judge(slot.couldShow(undefined, since));
    }
  }

  /** Reads a file and compares it byte for byte. */
  async readFile(slot: Slot): Promise<void> {
    const { tally } = this.#options;
    const since = slot.position;
    const reply = await this.#send({ type: 'READ', resource: slot.resource }, [404]);
    if (reply.kind === 'refused' && reply.status === 404) {
      this.#judge(slot.couldHold(undefined, since));
    } else if (reply.kind === 'done') {
      const mark = fileMarkOf(reply.fileName ?? '');
      this.#judge(slot.couldHold(mark, since));
      if (mark !== undefined && !Buffer.from(fileBytes(mark)).equals(reply.body)) {
        tally.wrongly(`the file ${fileName(mark)} of ${slot.resource} came with other bytes (${reply.body.length})`);
      }
      tally.counts.filesRead++;
    }
  }

  /** The names below its own object are those of the slots that are there. */
  async list(): Promise<void> {
    const { member } = this.#options;
    const reply = await this.#send({ type: 'LIST', resource: member.open });
    if (reply.kind === 'done') {
      const names: readonly string[] = JSON.parse(textOf(reply.body));
      for (const slot of member.slots.filter(({ resource }) => resource.startsWith(`${member.open}/`))) {
        const isListed = names.includes(slot.resource.slice(member.open.length + 1));
        const mayBe = [slot.certain, ...slot.unknown.map(({ leaves }) => leaves)].map((state) => state !== undefined);
        this.#judge(mayBe.includes(isListed) ? undefined : `${slot.resource} is listed: ${isListed}, which cannot be`);
      }
    }
  }

  async #changeChild(child: Slot): Promise<void> {
    if (await this.see(child)) {
      const kind = child.certain === undefined ? 'CREATE' : 'UPDATE';
      const deletes = child.isSettled && child.certain !== undefined && this.#options.chance.happens(0.3);
      await this.#ask(child, deletes && child.mayDelete(this.#options.now()) ? 'DELETE' : kind);
    }
  }

  #nextKind(slot: Slot): ChangeKind {
    const { chance, now } = this.#options;
    if (slot.certain === undefined) {
      return 'CREATE';
    }
    const dice = chance.next();
    if (dice < 0.12 && slot.isSettled && slot.mayDelete(now())) {
      return 'DELETE';
    }
    return dice < 0.35 ? 'WRITE' : 'UPDATE';
  }

  async #ask(slot: Slot, kind: ChangeKind): Promise<void> {
    const { chance, now, tally } = this.#options;
    const mark = slot.nextMark(this.#nonce());
    const file = kind === 'WRITE' ? { ...mark, size: fileSize(chance) } : undefined;
    const question = questionOf(slot, kind, { mark, file, isStreamed: chance.happens(0.3) });
    const attempt = slot.begin(kind, file ?? mark, now());
    const isFirst = slot.unknown.length === 1;
    const reply = await this.#send(question, isFirst ? [] : [404, 409, 412]);
    this.#outcome(slot, attempt, reply);
    tally.counts.filesWritten += reply.kind === 'done' && kind === 'WRITE' ? 1 : 0;
  }

  #outcome(slot: Slot, attempt: Attempt, reply: Reply): void {
    const { now, tally } = this.#options;
    if (reply.kind === 'done') {
      tally.counts.acknowledged++;
      tally.counts.settled += slot.unknown.length - 1;
      slot.happened(attempt, now());
      slot.track.shown(attempt.step, reply.etag);
    } else if (hadNoEffect(reply)) {
      slot.didNotHappen(attempt);
    } else {
      tally.counts.unknown++;
      slot.becameUnknown(attempt, now());
    }
  }

  /** `foreseen`: statuses that are no trouble here. */
  async #send(question: Question, foreseen: readonly number[] = []): Promise<Reply> {
    const { client, now, tally } = this.#options;
    const asked = tally.asked(`${question.type} ${question.resource}`, now());
    const reply = await client.ask(question);
    tally.ended(asked, now());
    if (reply.kind === 'lost') {
      tally.lost(asked, reply.why);
    } else if (reply.kind === 'refused' && !foreseen.includes(reply.status)) {
      tally.refused(asked, reply);
    }
    return reply;
  }

  #judge(problem: string | undefined): void {
    if (problem !== undefined) {
      this.#options.tally.wrongly(problem);
    }
  }

  #nonce(): string {
    const { chance, member } = this.#options;
    this.#nonces++;
    return (chance.below(2 ** 30) * 2 ** 20 + member.at * 2 ** 10 + (this.#nonces % 2 ** 10)).toString(36);
  }
}
