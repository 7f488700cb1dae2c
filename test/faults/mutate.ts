// Damages a file, in the same way for the same seed.

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty', '../../x', 'con', ''];
const texts = [...names, '\u001b[2J', '\u202e', '\0', 'a'.repeat(5000), '{{', '{%', '\ud800', '𝔘'];
const numbers = [
  ...[0, -1, 1, 2, 3, 0.5, -0, 2 ** 31, 2 ** 32, 2 ** 53, 1e308, -1e308, 1e9, 1e-320],
];

type Json = unknown;

/** Damage to text or bytes, of any format. */
export function damageBytes(bytes: Buffer, random: () => number): Buffer {
  const at = (): number => Math.floor(random() * (bytes.length + 1));
  const copy = Buffer.from(bytes);
  switch (Math.floor(random() * 7)) {
    case 0:
      return copy.subarray(0, at());
    case 1: {
      for (let count = 1 + Math.floor(random() * 8); count > 0 && copy.length > 0; count--) {
        const place = Math.floor(random() * copy.length);
        copy[place] = copy[place]! ^ (1 << Math.floor(random() * 8));
      }
      return copy;
    }
    case 2: {
      const [from, to] = [at(), at()].sort((a, b) => a - b) as [number, number];
      return Buffer.concat([copy.subarray(0, from), copy.subarray(to)]);
    }
    case 3: {
      const [from, to] = [at(), at()].sort((a, b) => a - b) as [number, number];
      const part = copy.subarray(from, Math.min(to, from + 200));
      return Buffer.concat([copy.subarray(0, to), part, part, copy.subarray(to)]);
    }
    case 4: {
      // A length or an offset, most likely.
      const place = Math.floor(random() * Math.max(1, copy.length - 8));
      const value = BigInt(Math.floor(random() * 4)) * 0x3fffffffffffffffn;
      if (copy.length >= 8) copy.writeBigUInt64LE(BigInt.asUintN(64, value), place);
      return copy;
    }
    case 5: {
      const text = texts[Math.floor(random() * texts.length)]!;
      const place = at();
      return Buffer.concat([copy.subarray(0, place), Buffer.from(text), copy.subarray(place)]);
    }
    default:
      return copy.fill(Math.floor(random() * 256), at(), at());
  }
}

/** A JSON value with one of its parts replaced. */
export function damageJson(value: Json, random: () => number): Json {
  const places: { holder: object; key: string }[] = [];
  const collect = (part: Json): void => {
    if (typeof part !== 'object' || part === null) return;
    // In long lists and tables, some entries represent all.
    for (const key of Object.keys(part).slice(0, 60)) {
      places.push({ holder: part, key });
      collect((part as Record<string, Json>)[key]);
    }
  };
  const copy = structuredClone(value);
  collect(copy);
  if (places.length === 0) return replacement(value, random);
  for (let count = 1 + Math.floor(random() * 2); count > 0; count--) {
    const { holder, key } = places[Math.floor(random() * places.length)]!;
    const fields = holder as Record<string, Json>;
    const kind = random();
    if (kind < 0.2) delete fields[key];
    else if (kind < 0.4) {
      const name = names[Math.floor(random() * names.length)]!;
      Object.defineProperty(fields, name, {
        ...{ value: fields[key], enumerable: true, configurable: true, writable: true },
      });
    } else fields[key] = replacement(fields[key], random);
  }
  return copy;
}

function replacement(value: Json, random: () => number): Json {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  switch (Math.floor(random() * 8)) {
    case 0:
      return null;
    case 1:
      return pick([true, false]);
    case 2:
      return pick(numbers);
    case 3:
      return pick(texts);
    case 4:
      return pick<Json>([[], {}, [[]], [null], [value, value]]);
    case 5: {
      let deep: Json = value;
      for (let depth = 0; depth < 3000; depth++) deep = depth % 2 ? [deep] : { a: deep };
      return deep;
    }
    case 6:
      return typeof value === 'number' ? value * pick([-1, 2, 1.5, 1e6]) : pick(numbers);
    default:
      return typeof value === 'string'
        ? value + pick(texts)
        : (JSON.stringify(value)?.slice(0, 1000) ?? null);
  }
}
