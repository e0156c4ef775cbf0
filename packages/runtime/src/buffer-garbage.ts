/**
 * Frees the buffers of a stream in the course of it.
 *
 * Every piece that a socket reads is memory outside the heap, of which V8 sees little but its size: it lets 64 MiB of them
 * gather, then marks the whole heap to find them dead. A collection of young objects finds them too, at a fiftieth of the
 * cost, but nothing starts one, since a stream allocates next to nothing inside the heap. So we do, every so many bytes:
 * uploads take a third less CPU time, downloads half. It must be often, since what is found dead is freed by a thread of its
 * own, which lags behind on a busy machine; V8 still counts it then.
 *
 * A process has one heap: the bytes of all its streams are counted together, however many services there are in it.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let passedBytes = 0;
let collect: (() => void) | undefined;

/** To be told how many bytes came out of sockets; collects whenever these, and those of others, add up to `everyBytes`. */
export function createBufferCollector(everyBytes: number): (bytes: number) => void {
  return (bytes) => {
    passedBytes += bytes;
    if (passedBytes >= everyBytes) {
      passedBytes = 0;
      collect ??= youngCollection();
      collect();
    }
  };
}

/** Contexts made while the flag is set have the function; those that run our code do not. */
function youngCollection(): () => void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof gc === 'function' ? () => gc({ type: 'minor' }) : () => undefined;
}
