/**
 * Kills a server with `kill -9` at random moments while many writes are under way, again and again on the same data folder,
 * and holds what is found after each restart against what was acknowledged.
 *
 * The model: slots, each an object with perhaps a child and a file, each changed by one write at a time. So what a restart
 * may show is either what the last acknowledged write left, or what the one that was in flight would have left, whole.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type FSWatcher, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { ALICE, ServerProcess, TestSession, within } from '@fosp/testkit';

export interface DurabilityOptions {
  readonly dataDirectory: string;
  /** Acknowledged writes in all. */
  readonly writes: number;
  readonly kills: number;
  /** Uniform in 0 … 1. */
  readonly random: () => number;
}

export interface DurabilityResult {
  readonly acknowledged: number;
  readonly kills: number;
  /** Writes in flight at a kill, and how many of them turned out to have been kept. */
  readonly inFlight: number;
  readonly keptInFlight: number;
  readonly objectsChecked: number;
  readonly filesChecked: number;
  /** A sentence for each state that no sequence of writes explains. */
  readonly wrong: readonly string[];
}

/** What a slot holds; `undefined` where there is no object. */
interface SlotState {
  readonly data: number;
  readonly child: boolean;
  /** SHA-256 of the file, hex. */
  readonly file: string | undefined;
}

interface Slot {
  readonly resource: string;
  state: SlotState | undefined;
  /** What the write in flight leaves. */
  next: { readonly state: SlotState | undefined } | undefined;
}

const SLOTS = 48;
const FILE_BYTES = 64 * 1024;

export async function killAgainAndAgain(options: DurabilityOptions): Promise<DurabilityResult> {
  const slots: Slot[] = Array.from({ length: SLOTS }, (_, index) => ({
    resource: `${ALICE}/slot${index}`,
    state: undefined,
    next: undefined,
  }));
  const tally = {
    acknowledged: 0,
    inFlight: 0,
    keptInFlight: 0,
    objectsChecked: 0,
    filesChecked: 0,
    wrong: [] as string[],
  };
  const perLife = Math.ceil(options.writes / options.kills);
  for (let life = 0; life < options.kills; life++) {
    const server = await ServerProcess.start({ dataDirectory: options.dataDirectory });
    const session =
      life === 0 ? await TestSession.register(server.url, ALICE) : await TestSession.logIn(server.url, ALICE);
    const killAfter = Math.round(perLife * (0.75 + options.random() / 2));
    await writeUntilKilled({ server, session, slots, killAfter, random: options.random, tally });
    await verifyAfterRestart(options.dataDirectory, slots, tally);
  }
  const leftOver = await filesLeftOver(options.dataDirectory, slots);
  if (leftOver !== 0) {
    tally.wrong.push(`after sweeping there are ${leftOver} more files than objects with one`);
  }
  return { ...tally, kills: options.kills };
}

/** Lets a server remove at once what is no object's file any more, and counts what is there beyond the objects' files. */
async function filesLeftOver(dataDirectory: string, slots: readonly Slot[]): Promise<number> {
  const expected = slots.filter(({ state }) => state?.file !== undefined).length;
  // Beside it are uploads that a kill cut off; they go with age.
  const folder = join(dataDirectory, 'attachments', 'files');
  const environment = { FOSP_TRANSFER_SECONDS: '1', FOSP_UPLOAD_SECONDS: '1', FOSP_SWEEP_SECONDS: '1' };
  await using _server = await ServerProcess.start({ dataDirectory, environment });
  const changes = watch(folder, { recursive: true });
  try {
    let found = filesIn(folder);
    // Whatever changes in the folder is a reason to count again; nothing for long is the end of it.
    while (found > expected && (await changed(changes))) {
      found = filesIn(folder);
    }
    return found - expected;
  } finally {
    changes.close();
  }
}

function changed(changes: FSWatcher): Promise<boolean> {
  return within(once(changes, 'change'), 'the sweeper to remove a file').then(
    () => true,
    () => false,
  );
}

function filesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
}

interface Life {
  readonly server: ServerProcess;
  readonly session: TestSession;
  readonly slots: readonly Slot[];
  readonly killAfter: number;
  readonly random: () => number;
  readonly tally: { acknowledged: number };
}

/** Writes on all slots at once until so many were acknowledged; then the server is killed with the others in flight. */
async function writeUntilKilled(life: Life): Promise<void> {
  let acknowledged = 0;
  let killed: Promise<unknown> | undefined;
  const writer = async (slot: Slot): Promise<void> => {
    while (killed === undefined) {
      const change = nextChange(slot, life.random);
      slot.next = { state: change.state };
      await change.send(life.session);
      slot.state = change.state;
      slot.next = undefined;
      life.tally.acknowledged++;
      if (++acknowledged === life.killAfter) {
        killed = life.server.kill();
      }
    }
  };
  const outcomes = await Promise.allSettled(life.slots.map(writer));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (killed === undefined) {
    throw failure?.reason ?? new Error('the writers ended before the kill');
  }
  await killed;
}

interface Change {
  readonly state: SlotState | undefined;
  send(session: TestSession): Promise<unknown>;
}

function nextChange({ resource, state }: Slot, random: () => number): Change {
  const data = Math.floor(random() * 1e9);
  if (state === undefined) {
    const body = { data: { value: data, filler: 'x'.repeat(Math.floor(random() * 2000)) } };
    return {
      state: { data, child: false, file: undefined },
      send: (session) => session.succeed('CREATE', resource, { body }),
    };
  }
  const dice = random();
  if (dice < 0.15) {
    return { state: undefined, send: (session) => session.succeed('DELETE', resource) };
  }
  if (dice < 0.3 && !state.child) {
    return { state: { ...state, child: true }, send: (session) => session.succeed('CREATE', `${resource}/child`) };
  }
  if (dice < 0.6) {
    const file = randomBytes(Math.floor(random() * FILE_BYTES));
    const hash = createHash('sha256').update(file).digest('hex');
    return {
      state: { ...state, file: hash },
      send: (session) => session.succeed('WRITE', resource, { body: file, binary: true }),
    };
  }
  return {
    state: { ...state, data },
    send: (session) => session.succeed('UPDATE', resource, { body: { data: { value: data } } }),
  };
}

async function verifyAfterRestart(
  dataDirectory: string,
  slots: readonly Slot[],
  tally: {
    inFlight: number;
    keptInFlight: number;
    objectsChecked: number;
    filesChecked: number;
    readonly wrong: string[];
  },
): Promise<void> {
  await using server = await ServerProcess.start({ dataDirectory });
  const session = await TestSession.logIn(server.url, ALICE);
  for (const slot of slots) {
    const found = await stateOf(slot.resource, session);
    tally.objectsChecked++;
    tally.filesChecked += found?.file === undefined ? 0 : 1;
    const kept = slot.next !== undefined && sameState(found, slot.next.state);
    tally.inFlight += slot.next === undefined ? 0 : 1;
    tally.keptInFlight += kept ? 1 : 0;
    if (!kept && !sameState(found, slot.state)) {
      const expected = `${show(slot.state)}${slot.next === undefined ? '' : ` or ${show(slot.next.state)}`}`;
      tally.wrong.push(`${slot.resource}: found ${show(found)}, expected ${expected}`);
    }
    slot.state = found;
    slot.next = undefined;
  }
  await session.close();
}

/** What the server shows of a slot; throws where the object and its file disagree. */
async function stateOf(resource: string, session: TestSession): Promise<SlotState | undefined> {
  const selected = await session.request('SELECT', resource);
  if (selected.status === 404) {
    return undefined;
  }
  const object: { data: { value: number }; attachment?: { size: number } } = JSON.parse(selected.body.toString());
  const children: string[] = await session.json('LIST', resource);
  const read = await session.request('READ', resource);
  if (
    (read.status === 200) !== (object.attachment !== undefined) ||
    (read.succeeded && read.body.length !== object.attachment?.size)
  ) {
    throw new Error(
      `${resource}: READ gives ${read.status} with ${read.body.length} bytes, attachment is ${JSON.stringify(object.attachment)}`,
    );
  }
  const file = read.succeeded ? createHash('sha256').update(read.body).digest('hex') : undefined;
  return { data: object.data.value, child: children.includes('child'), file };
}

function sameState(a: SlotState | undefined, b: SlotState | undefined): boolean {
  return (
    a === b || (a !== undefined && b !== undefined && a.data === b.data && a.child === b.child && a.file === b.file)
  );
}

function show(state: SlotState | undefined): string {
  return state === undefined ? 'no object' : JSON.stringify(state);
}
