/** Adding to a durable stream: done once JetStream confirmed that it has the message, or had one with its id. */
import { BusError, type BusMessage, isBusError } from '../transport.ts';
import { encodeHeaders } from './headers.ts';
import type { Questions } from './questions.ts';

export interface AppendTarget {
  /** As the server knows them. */
  readonly stream: string;
  readonly subject: string;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
}

interface Confirmation {
  readonly error?: { readonly err_code?: number; readonly description?: string };
}

/** JetStream's codes for: insufficient resources, memory or storage used up, stream at its bound. */
const FULL = new Set([10023, 10028, 10047, 10077, 10122]);

/** Rejects with `overloaded` where the stream is full, with `closed` where it is not certain that it has the message. */
export async function appendTo(
  questions: Questions,
  message: BusMessage & { readonly id: string },
  target: AppendTarget,
): Promise<void> {
  const headers = encodeHeaders(message.headers, {
    'Nats-Msg-Id': message.id,
    'Nats-Expected-Stream': target.stream,
  });
  const { error } = await confirmation(questions, { ...target, headers, body: message.body });
  if (error !== undefined) {
    const code = FULL.has(error.err_code ?? 0) ? 'overloaded' : 'closed';
    throw new BusError(code, `${target.stream} did not take a message: ${error.description} (${error.err_code})`);
  }
}

async function confirmation(questions: Questions, question: Parameters<Questions['ask']>[0]): Promise<Confirmation> {
  try {
    return (await questions.ask(question)).json<Confirmation>();
  } catch (error) {
    if (isBusError(error)) {
      throw new BusError('closed', `It is not certain that ${question.subject} has a message: ${error.message}`);
    }
    throw error;
  }
}
