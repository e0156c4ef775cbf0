/**
 * Copies the log into the database file now and then, on a thread of its own: a checkpoint syncs two files and writes
 * thousands of pages, which would make every client wait if it ran between their requests.
 *
 * Readers and the writer go on meanwhile. The log begins anew at the first write after a checkpoint that reached its end;
 * under constant writes none would. So where the log has grown over `logBytes`, writes are held back for one more
 * checkpoint, which has little left to copy; and where it grows to twice that while one runs, until that has ended. Where
 * even a checkpoint without writes cannot reach the end (somebody outside reads for long), the log grows on, and that is
 * reported.
 */
import { statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

export interface CheckpointOptions {
  /** Changed rows after which the log is copied. */
  readonly everyRows: number;
  /** Size of the log from which on writes are held back until it is copied. */
  readonly logBytes: number;
}

export interface CheckpointEvents {
  /** Writes may go on. */
  readonly onRelease: () => void;
  readonly onTrouble: (what: string, error?: unknown) => void;
}

/** What SQLite says after a checkpoint: frames in the log, and how many of them are in the database. */
interface Outcome {
  readonly frames: number;
  readonly copied: number;
}

/** Bytes of a page with its frame header. */
const FRAME_BYTES = 4096 + 24;

export class Checkpoints {
  readonly #path: string;
  readonly #options: CheckpointOptions;
  readonly #events: CheckpointEvents;
  #worker: Worker | undefined;
  /** Rows changed since the last checkpoint began. */
  #rows = 0;
  #isRunning = false;
  #holds = false;

  constructor(path: string, options: CheckpointOptions, events: CheckpointEvents) {
    this.#path = path;
    this.#options = options;
    this.#events = events;
  }

  /** Whether writes are to wait. */
  get holds(): boolean {
    return this.#holds;
  }

  wrote(rows: number): void {
    this.#rows += rows;
    if (!this.#isRunning && this.#rows >= this.#options.everyRows) {
      this.#ask();
    } else if (this.#isRunning) {
      // SQLite cuts the file to `logBytes` when it begins anew, so what is longer is in use.
      this.#holds = statSync(`${this.#path}-wal`).size > 2 * this.#options.logBytes;
    }
  }

  /** Lets a running checkpoint end. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker !== undefined) {
      worker.removeAllListeners();
      worker.ref();
      const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
      worker.postMessage('close');
      await ended;
    }
  }

  #ask(): void {
    this.#isRunning = true;
    this.#rows = 0;
    this.#worker ??= this.#start();
    this.#worker.postMessage('checkpoint');
  }

  #start(): Worker {
    // Source of a function, so that it runs from a bundle and from a checkout alike.
    const worker = new Worker(`(${checkpointLoop})()`, { eval: true, workerData: this.#path });
    worker.unref();
    worker.on('message', (outcome: Outcome) => this.#done(outcome));
    worker.on('error', (error) => {
      this.#worker = undefined;
      this.#events.onTrouble('The log of the database could not be copied', error);
      this.#done({ frames: 0, copied: 0 });
    });
    return worker;
  }

  #done({ frames, copied }: Outcome): void {
    this.#isRunning = false;
    const isLong = frames * FRAME_BYTES > this.#options.logBytes;
    if (isLong && this.#rows > 0) {
      // It counts the frames that were there when it began: it cannot have reached the end.
      this.#holds = true;
      this.#ask();
      return;
    }
    if (isLong && copied < frames) {
      this.#events.onTrouble('The log of the database grows: something outside reads the database for long');
    }
    this.#holds = false;
    this.#events.onRelease();
  }
}

/** Runs in the worker, from its source: it knows nothing but what is in it. */
function checkpointLoop(): void {
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads');
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const database = new DatabaseSync(workerData, { timeout: 5_000 });
  database.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0');
  const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  parentPort?.on('message', (message) => {
    if (message === 'close') {
      database.close();
      parentPort.close();
      return;
    }
    const { log, checkpointed } = checkpoint.get() ?? {};
    parentPort.postMessage({ frames: Number(log), copied: Number(checkpointed) });
  });
}
