/** Most values of one key: texts that all share a band are compared with the first of them only. */
const MOST_OF_KEY = 16;

/**
 * A hash table from keys of 32 bits to several values each, in typed arrays: a Map with as many
 * entries needs five times the memory.
 */
export class BucketTable {
  #keys = new Uint32Array(4096);
  /** One more than the value; 0 for an empty slot. */
  #values = new Uint32Array(4096);
  #count = 0;

  /** Ignores a value where the key already has {@link MOST_OF_KEY}. */
  add(key: number, value: number): void {
    if (2 * (this.#count + 1) > this.#keys.length) this.#grow();
    this.#put(key, value + 1);
  }

  /** Calls `visit` with the key's values, in the order in which they were added. */
  each(key: number, visit: (value: number) => void): void {
    const mask = this.#keys.length - 1;
    for (let at = key & mask; this.#values[at] !== 0; at = (at + 1) & mask) {
      if (this.#keys[at] === key) visit(this.#values[at]! - 1);
    }
  }

  #put(key: number, stored: number): void {
    const mask = this.#keys.length - 1;
    let own = 0;
    let at = key & mask;
    for (; this.#values[at] !== 0; at = (at + 1) & mask) {
      if (this.#keys[at] === key && ++own === MOST_OF_KEY) return;
    }
    this.#keys[at] = key;
    this.#values[at] = stored;
    this.#count++;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Uint32Array(2 * keys.length);
    this.#values = new Uint32Array(2 * keys.length);
    this.#count = 0;
    // Starts after an empty slot, so that runs of slots are moved in order.
    const start = values.indexOf(0) + 1;
    for (let step = 0; step < keys.length; step++) {
      const at = (start + step) & (keys.length - 1);
      if (values[at] !== 0) this.#put(keys[at]!, values[at]!);
    }
  }
}
