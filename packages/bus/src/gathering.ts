/**
 * Questions to all who listen, however many there are: the question and each answer are publications. So nobody knows whether
 * all have answered, and the one who asks takes what comes within a time. For what an operator looks at, nothing else.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, Reply } from './bus-options.ts';
import { fromHeaders } from './calling.ts';
import type { CallType } from './calls.ts';
import type { BusHeaders, BusSubscription, Transport } from './transport.ts';

/** No field of any question may be called so. */
const ANSWER_TO = 'answer-to';
const NO_BYTES = new Uint8Array(0);

/** Asks, and gives the answers that came within `milliseconds`. */
export async function gather<Q, R>(
  transport: Transport,
  type: CallType<Q, R>,
  { fields, id, milliseconds }: { readonly fields: Q; readonly id: string; readonly milliseconds: number },
): Promise<Reply<R>[]> {
  const replies: Reply<R>[] = [];
  const subject = `${type.subject}.answers.${Buffer.from(id, 'utf8').toString('base64url')}`;
  const listening = await transport.subscribe(subject, ({ headers, body }) => {
    replies.push({ fields: fromHeaders<R>(headers), body });
  });
  try {
    transport.publish(type.subject, { headers: { ...asHeaders(fields), [ANSWER_TO]: subject }, body: NO_BYTES });
    await pause(milliseconds);
  } finally {
    await listening.stop();
  }
  return replies;
}

/** Answers such questions. `failed` is told what `handler` throws; then there is no answer. */
export function answerAll<Q, R>(
  transport: Transport,
  type: CallType<Q, R>,
  { handler, failed }: { handler: (fields: Q) => Promise<Answer<R>>; failed: (error: unknown) => void },
): Promise<BusSubscription> {
  return transport.subscribe(type.subject, ({ headers: { [ANSWER_TO]: subject, ...headers } }) => {
    const answering = async () => {
      const { fields, body = NO_BYTES } = await handler(fromHeaders<Q>(headers));
      if (subject !== undefined) {
        transport.publish(subject, { headers: asHeaders(fields), body });
      }
    };
    answering().catch(failed);
  });
}

function asHeaders<Fields>(fields: Fields): BusHeaders {
  return fields as BusHeaders;
}
