/** A user's client as the load sees it, whether it is the SDK or a bare connection. */
import type { RequestType } from '@fosp/protocol';

export interface Question {
  readonly type: RequestType;
  readonly resource: string;
  readonly body?: Uint8Array | string;
  /** Asked for under this condition. */
  readonly ifMatch?: string | undefined;
  /** Of WRITE. */
  readonly fileName?: string;
  /** Send the file in pieces, without saying how large it is. */
  readonly isStreamed?: boolean;
}

export type Reply =
  | {
      readonly kind: 'done';
      readonly body: Uint8Array;
      readonly etag: string | undefined;
      readonly fileName: string | undefined;
    }
  | { readonly kind: 'refused'; readonly status: number; readonly message: string }
  /** No answer: the connection was lost, or there was none. */
  | {
      readonly kind: 'lost';
      readonly why: string;
      /** It had no effect: says close code 1012. */
      readonly isUndone: boolean;
    };

export interface Client {
  readonly user: string;
  /** Never rejects. */
  ask(question: Question): Promise<Reply>;
  /** Comes back on a connection of its own choice, perhaps at another gateway; where it never does that, nothing. */
  comeAnew?(): void;
  close(): Promise<void>;
}

/** Milliseconds that a request on an object may take: the deadline of its call, and some for a busy machine. */
export const PATIENCE = 20_000;
/** The same for one that moves a file: two calls, the file store's patience, and the call that commits. */
export const FILE_PATIENCE = 80_000;

export function patienceOf(type: RequestType): number {
  return type === 'READ' || type === 'WRITE' ? FILE_PATIENCE : PATIENCE;
}
