/**
 * Bytes in order of arrival, without copying large pieces. Small ones are gathered into blocks: a sender of one byte at a
 * time would otherwise cost hundreds of bytes for each, and the budget counts only what was sent. A block is at most as
 * large as what the queue held before, so at most half of the memory is unused.
 */
const GATHER_BELOW = 16 * 1024;
const FIRST_BLOCK = 512;
const LARGEST_BLOCK = 64 * 1024;

export class PieceQueue {
  readonly #pieces: Uint8Array[] = [];
  #bytes = 0;
  /** The last piece's block, and how much of it is filled. */
  #block: Uint8Array | undefined;
  #filled = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(piece: Uint8Array): void {
    let rest = piece;
    this.#bytes += piece.length;
    while (rest.length > 0 && rest.length < GATHER_BELOW) {
      const room = this.#room();
      const part = rest.subarray(0, Math.min(room.length - this.#filled, rest.length));
      room.set(part, this.#filled);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
    }
    if (rest.length > 0) {
      this.#seal();
      this.#pieces.push(rest);
    }
  }

  /** Takes the first piece. */
  shift(): Uint8Array | undefined {
    if (this.#pieces.length === 0) {
      this.#seal();
    }
    const piece = this.#pieces.shift();
    this.#bytes -= piece?.length ?? 0;
    return piece;
  }

  /** Everything as one array, without a copy where it is one piece; the queue is empty afterwards. */
  concat(): Uint8Array {
    this.#seal();
    const [first, ...others] = this.#pieces;
    let whole = first ?? new Uint8Array(0);
    if (others.length > 0) {
      whole = new Uint8Array(this.#bytes);
      let at = 0;
      for (const piece of this.#pieces) {
        whole.set(piece, at);
        at += piece.length;
      }
    }
    this.clear();
    return whole;
  }

  clear(): void {
    this.#pieces.length = 0;
    this.#bytes = 0;
    this.#block = undefined;
  }

  #room(): Uint8Array {
    if (this.#block === undefined || this.#filled === this.#block.length) {
      this.#seal();
      this.#block = new Uint8Array(Math.min(LARGEST_BLOCK, Math.max(FIRST_BLOCK, this.#bytes)));
      this.#filled = 0;
    }
    return this.#block;
  }

  #seal(): void {
    if (this.#block !== undefined) {
      const mostlyEmpty = this.#filled * 2 < this.#block.length;
      this.#pieces.push(mostlyEmpty ? this.#block.slice(0, this.#filled) : this.#block.subarray(0, this.#filled));
      this.#block = undefined;
    }
  }
}
