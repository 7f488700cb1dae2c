import { native } from '../native.ts';

/** Small texts that all processes of a group see (c10d's TCPStore). */
export class Store {
  readonly #index: number;
  readonly #prefix: string;

  private constructor(index: number, prefix: string) {
    this.#index = index;
    this.#prefix = prefix;
  }

  /**
   * @param serves whether this process opens the port
   * @param seconds to wait for the process that does
   * @throws Error where the port is taken, or nobody opens it in time
   */
  static async open({ host, port, serves }: StoreAddress, seconds: number): Promise<Store> {
    const index = await native.storeOpen(host, port, serves, Math.ceil(seconds * 1000));
    return new Store(index, 'keel/');
  }

  /** The same store, with keys of its own. */
  under(name: string): Store {
    return new Store(this.#index, `${this.#prefix}${name}/`);
  }

  /** What groups get: entries of several groups do not meet. */
  get index(): number {
    return this.#index;
  }

  named(key: string): string {
    return this.#prefix + key;
  }

  set(key: string, value: string): Promise<void> {
    return native.storeSet(this.#index, this.named(key), value);
  }

  /** Waits until it is set. @throws Error after so many seconds */
  get(key: string, seconds: number): Promise<string> {
    return native.storeGet(this.#index, this.named(key), Math.ceil(seconds * 1000));
  }

  has(key: string): Promise<boolean> {
    return native.storeHas(this.#index, this.named(key));
  }
}

export interface StoreAddress {
  host: string;
  port: number;
  serves: boolean;
}
