/** A crowd spread over processes, since one would be busy with nothing else and see everything late. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CrowdState } from './crowd.ts';
import type { Tally } from './tally.ts';

export interface GatherOptions {
  /** Where they connect, and where accounts are made for them. */
  readonly url: string;
  readonly registrar: string;
  /** What names of users begin with. */
  readonly name: string;
  readonly members: number;
  /** Beside them: users who change and read all the time, with so many milliseconds between two rounds. */
  readonly workers: number;
  readonly rest: number;
  /** Logins at once. */
  readonly atOnce: number;
}

export type Question =
  | { readonly kind: 'gather'; readonly options: GatherOptions }
  | { readonly kind: 'state' }
  /** Stops those who work, once all that they did was looked after. */
  | { readonly kind: 'rest' };

export interface Asked {
  readonly id: number;
  readonly question: Question;
}

export interface Told {
  readonly id: number;
  readonly value?: unknown;
  readonly failure?: string;
}

export interface ProcessState extends CrowdState {
  /** Of the worker who did the fewest. */
  readonly rounds: number;
  readonly work: Tally;
}

const PROGRAM = fileURLToPath(new URL('crowd-process.ts', import.meta.url));

export class CrowdProcess implements Disposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #asked = 0;

  constructor() {
    this.#child = fork(PROGRAM);
    this.#child.on('message', ({ id, value, failure }: Told) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (failure === undefined) {
        waiting?.resolve(value);
      } else {
        waiting?.reject(new Error(failure));
      }
    });
    this.#child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) {
        reject(new Error(`A process of the crowd ended with ${code ?? signal}`));
      }
    });
  }

  async gather(options: GatherOptions): Promise<void> {
    await this.#ask({ kind: 'gather', options });
  }

  async state(): Promise<ProcessState> {
    // What the program in `crowd-process.ts` answers.
    return (await this.#ask({ kind: 'state' })) as ProcessState;
  }

  async rest(): Promise<void> {
    await this.#ask({ kind: 'rest' });
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }

  #ask(question: Question): Promise<unknown> {
    const id = ++this.#asked;
    const answered = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answered);
    this.#child.send({ id, question });
    return answered.promise;
  }
}
