import type { CallContext, OBJECTS } from '@fosp/bus';
import type { IncomingRequest, RespondOptions, RespondStreamOptions } from '@fosp/connection';
import type { Headers, RequestHead } from '@fosp/protocol';
import { type Span, within } from '@fosp/runtime';
import type { Pending } from './conversation.ts';
import type { Place } from './order.ts';
import type { Party } from './party.ts';
import { beginRequest } from './request-spans.ts';

/** A call on an object that knows conditions, and answers with the object's tag. */
export type ObjectCall = typeof OBJECTS.select;
type ObjectFields = NonNullable<ObjectCall['types']>['request'];

/** One request from its arrival to its answer, with its place in the order of its connection. Calls made for it have it as context. */
export class Exchange implements Pending, Partial<CallContext> {
  readonly party: Party;
  readonly message: IncomingRequest;
  readonly type: RequestHead['type'];
  readonly since: number;
  readonly sequence: number;
  readonly tree: string | undefined;
  readonly path: string;
  readonly reads: boolean;
  readonly deletes: boolean;
  previous: Place | undefined = undefined;
  next: Place | undefined = undefined;
  settled = false;
  waitsFor = 0;
  followers: Place[] | undefined = undefined;
  span: Span | undefined = undefined;

  constructor(party: Party, message: IncomingRequest) {
    const { head } = message;
    this.party = party;
    this.message = message;
    this.type = head.type;
    this.since = performance.now();
    this.sequence = head.sequence;
    this.tree = head.resource?.tree;
    this.path = head.resource?.path ?? '';
    this.deletes = head.type === 'DELETE';
    this.reads = head.resource === undefined || onlyReads(head.type);
  }

  /** Names it in every log. */
  get requestId(): string {
    return this.party.conversation.requestId(this.sequence);
  }

  /** Has it carried out: its turn has come. */
  begin(): void {
    const { party } = this;
    const { tracer } = party.conversation;
    if (tracer !== undefined) {
      this.span = beginRequest(tracer, this);
    }
    const scope = this.span === undefined && this.#isQuick ? undefined : { requestId: this.requestId, span: this.span };
    within(scope, () => party.carryOut(this));
  }

  /** It is one call, which has its id, and writes nothing to the log but what failed, which has it too. */
  get #isQuick(): boolean {
    return this.tree !== undefined && this.type !== 'READ' && this.type !== 'WRITE';
  }

  /** See `Conversation` for these. */
  settle(): void {
    this.party.conversation.settle(this);
  }

  answer(status: number, response?: RespondOptions): void {
    this.party.conversation.answer(this, status, response);
  }

  answerStream(status: number, response: RespondStreamOptions): Promise<boolean> {
    return this.party.conversation.answerStream(this, status, response);
  }

  fail(error: unknown): void {
    this.party.conversation.fail(this, error);
  }
}

/** Who asks, for what, under which conditions; these count only where both sides agreed on `etag`. */
export function onObject({ party, tree, path, message }: Exchange): ObjectFields {
  const fields = { user: party.user, tree: tree ?? '', path };
  if (!party.extensions.etag) {
    return fields;
  }
  const { 'If-Match': match, 'If-None-Match': noneMatch } = message.head.headers;
  return {
    ...fields,
    ...(match === undefined ? undefined : { 'if-match': match }),
    ...(noneMatch === undefined ? undefined : { 'if-none-match': noneMatch }),
  };
}

/** The header that shows the version of an object, where the client knows of it. */
export function etagHeaders({ party }: Exchange, etag: string | undefined): Headers | undefined {
  return party.extensions.etag && etag !== undefined ? { ETag: etag } : undefined;
}

function onlyReads(type: RequestHead['type']): boolean {
  return type === 'SELECT' || type === 'LIST' || type === 'READ';
}
