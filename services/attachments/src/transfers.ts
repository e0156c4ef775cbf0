/**
 * READ and WRITE of files, as calls: who may is decided by `objects`, where the bytes go by the store.
 *
 * A file's life: `write` is given a fresh key, which has its row, pending, before any byte can come; the bytes are PUT;
 * `commit` makes the key the object's file, or, refused, drops the bytes. Whatever stays pending, because somebody died on
 * the way, is claimed by the sweeper in time.
 */
import { type Answer, ATTACHMENTS, type Bus, type BusSubscription, type Call, type CallType, OBJECTS } from '@fosp/bus';
import { type ErrorCode, fospError, isFospError } from '@fosp/protocol';
import type { Availability } from './availability.ts';
import { type FileStore, isFileKey } from './store.ts';
import type { Telemetry } from './telemetry.ts';

export interface TransfersDeps {
  readonly bus: Bus;
  readonly store: FileStore;
  readonly availability: Pick<Availability, 'require'>;
  readonly telemetry: Telemetry;
  /** Calls served at once, of each type. */
  readonly concurrency: number;
}

type RequestOf<Type> = Type extends CallType<infer Request, infer _> ? Request : never;
type ResponseOf<Type> = Type extends CallType<infer _, infer Response> ? Response : never;
type CallTo<Name extends keyof typeof ATTACHMENTS> = Call<RequestOf<(typeof ATTACHMENTS)[Name]>>;
type AnswerOf<Name extends keyof typeof ATTACHMENTS> = Promise<Answer<ResponseOf<(typeof ATTACHMENTS)[Name]>>>;

/** Answers the calls of `ATTACHMENTS`. Resolves once they arrive. */
export function serveTransfers(deps: TransfersDeps): Promise<BusSubscription[]> {
  const { bus, concurrency } = deps;
  return Promise.all([
    bus.serve(ATTACHMENTS.read, (call) => read(deps, call), { concurrency }),
    bus.serve(ATTACHMENTS.write, (call) => write(deps, call), { concurrency }),
    bus.serve(ATTACHMENTS.commit, (call) => commit(deps, call), { concurrency }),
  ]);
}

async function read({ bus, store, availability }: TransfersDeps, call: CallTo<'read'>): AnswerOf<'read'> {
  const { fields } = await bus.call(OBJECTS.openFile, call.fields, undefined, call.context);
  const { key, ...file } = fields;
  // Only now: who may not, or asks for what is not there, is told that.
  availability.require();
  return { fields: { ...file, url: await store.downloadUrl(key) } };
}

async function write({ bus, store, availability }: TransfersDeps, call: CallTo<'write'>): AnswerOf<'write'> {
  availability.require();
  const { size, ...object } = call.fields;
  const { fields: begun } = await bus.call(OBJECTS.beginFile, object, undefined, call.context);
  const bytes = size === undefined ? undefined : wholeNumber(size);
  const url = await store.uploadUrl(begun.key, bytes);
  const ticket = formatTicket(begun);
  return { fields: { url, ticket, ...(store.wantsMd5?.(bytes) === true ? { digest: 'md5' } : {}) } };
}

async function commit(deps: TransfersDeps, call: CallTo<'commit'>): AnswerOf<'commit'> {
  const { ticket, md5, receipt, ...file } = call.fields;
  const { key, incarnation } = parseTicket(ticket);
  const { checksum } = file;
  const verdict = await deps.store.verify(key, { size: wholeNumber(file.size), checksum, md5, receipt });
  if (verdict !== 'whole') {
    deps.telemetry.damaged(key, verdict);
    await deps.store.remove([key]);
    throw fospError('unavailable', 'The file did not arrive as it was sent; send it again.');
  }
  try {
    const { fields } = await deps.bus.call(OBJECTS.commitFile, { ...file, key, incarnation }, undefined, call.context);
    deps.telemetry.committed(wholeNumber(file.size));
    return { fields };
  } catch (error) {
    if (isRefusal(error)) {
      await deps.store.remove([key]);
    }
    throw error;
  }
}

/**
 * Errors which say that the file did not become the object's: only then may its bytes go at once. Any other (a timeout, a
 * lost link) may hide a success, and the key's row decides in time.
 */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'forbidden',
  'not-found',
  'precondition-failed',
  'too-large',
  'malformed',
]);

function isRefusal(error: unknown): boolean {
  return isFospError(error) && REFUSALS.has(error.code);
}

/** What `commit` must know of the transfer. Nothing to sign: `objects` judges key and incarnation by the key's row. */
interface Ticket {
  readonly key: string;
  readonly incarnation: string;
}

function formatTicket(ticket: Ticket): string {
  return `${ticket.key}.${ticket.incarnation}`;
}

function parseTicket(text: string): Ticket {
  const dot = text.indexOf('.');
  const key = text.slice(0, dot);
  if (dot < 0 || !isFileKey(key)) {
    throw fospError('malformed', `No ticket of a transfer: ${text}`);
  }
  return { key, incarnation: text.slice(dot + 1) };
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0 || text === '') {
    throw fospError('malformed', `No number of bytes: '${text}'`);
  }
  return number;
}
