import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { dequantise, roundToBfloat16 } from './dequantise.ts';
import { type GgmlTypeName, ggmlTypes } from './ggml-types.ts';

interface Vector {
  /** A few blocks, base64. */
  blocks: string;
  elements: number;
  /** SHA-256 of the float32 bytes that the Python package gguf 0.19.0 makes from them. */
  sha256: string;
  /** Some of its values, by index. */
  samples: [number, number][];
}

// Random nibbles with scales that include subnormal halves, the largest half and negative zero.
const vectors: Record<GgmlTypeName, Vector> = {
  F32: {
    blocks: 'AAAAAAAAAIAAAMA/rmMjgJ7Jf38BAAAAVPgtwA==',
    elements: 7,
    sha256: '3dd8577091cb81540904f03cb3fee3aa75967d643e880157525a1dec081827ec',
    samples: [
      [0, 0.0],
      [1, -0],
      [2, 1.5],
      [3, -3.250000699742333e-39],
      [4, 3.3999999521443642e38],
      [5, 1.401298464324817e-45],
      [6, -2.7182817459106445],
    ],
  },
  F16: {
    blocks: 'AAAAgAA8AMEBAP8D/3sAfAD8Zi4=',
    elements: 10,
    sha256: 'c61cfb3b577671da2b6465e295ecf38bb0e23124aeb0c0213a542fb54509e6b7',
    samples: [
      [1, -0],
      [4, 2 ** -24],
      [6, 65504],
      [9, 0.0999755859375],
    ],
  },
  BF16: {
    blocks: 'iwrlsakBBqCVKiavvI2vpQ==',
    elements: 8,
    sha256: '858bf9f5f6610bfdc0f7f84d97c7aa56f1a47519c0d1c6e27bcc75f26b5a765d',
    samples: [
      [0, 1.338521311349129e-32],
      [1, -6.664777174592018e-9],
      [2, 6.208079540280206e-38],
      [3, -1.1350241493207625e-19],
      [4, 2.646771690706373e-13],
      [5, -1.509761204943061e-10],
      [6, -1.1586394545433611e-30],
      [7, -3.0357660829594124e-16],
    ],
  },
  Q8_0: {
    blocks:
      'TCJi+QqUX1aTxkInatWrLac5RVE3Dpmy10w0J/pI1zKh3wC/cKyh6SYRWQHdBvJ/jwY80l4ZpiH5vQzMITl8HseVyncBAEjcA9F6iJNNhVJzV6LmRkfwPi+4HyI/QZLFjv1RhfBxCAIe92d6HxMqgY2IIZWhALKNayNrgkgb2f5jDcPOO+Tryg==',
    elements: 128,
    sha256: 'f1d9c14d4fec0b8af5080eb412ce5a478e532878c4297eb8766c83ecf30d63cb',
    samples: [
      [0, 1.20526123046875],
      [1, -0.086090087890625],
      [15, 0.701019287109375],
      [16, 0.848602294921875],
      [31, -0.405853271484375],
      [67, -2.8014183044433594e-6],
      [127, -0.0016736984252929688],
    ],
  },
  Q4_0: {
    blocks:
      'TCK3L0WzUiNHn255TVcDfiz9AL/p4Vp3iXgeNyGlV9jlpwMpAQBty4HbP2XPnBvcXR2PyD8LCAILtNtxvlciCYUdPST0wM+D/3v+Q2P4L0dZd4lV9s7Wgcvq',
    elements: 160,
    sha256: 'b7770f3be65ec68f20293bf41ee88ee69501601154e5d883a88f1fe43000c61f',
    samples: [
      [0, -0.012298583984375],
      [1, 0.086090087890625],
      [15, 0.061492919921875],
      [16, 0.036895751953125],
      [31, 0.086090087890625],
      [83, 2.980232238769531e-7],
      [159, 393024.0],
    ],
  },
  Q4_1: {
    blocks:
      'TCIAuHF5ztLI+BShNHL/cM42nYMAv800hUUqRPMYM38IzR5hTyNdPwEAAgCDvEX+6e4EA6eb4RhUREExCAIAwHyTEfheBCmxn37A4Vb2WjP/e0BWIueRuIDumV4/DTB9L7r0AACAAIBpOheeDQJ+1OWL56nrwoon',
    elements: 192,
    sha256: 'f8f8df0b616b5fe37f11b36d1bd55b83ce8fbd629265202a8816062f90cef985',
    samples: [
      [0, -0.487701416015625],
      [1, -0.389312744140625],
      [15, -0.463104248046875],
      [16, -0.413909912109375],
      [31, -0.401611328125],
      [99, -1.9997520446777344],
      [191, -0],
    ],
  },
  Q5_0: {
    blocks:
      'DyQ98NVvF4aH8WeXlHC2ZZ2QxpSBgFGocwugkS33pAoW3qAQJKF/zBQdp9tBqvs+S3D6BHrDggfNOa3H3DBrd6QkuyCHbMW3OskLhYbHn2+c8ZMX0NY3XQ==',
    elements: 128,
    sha256: 'e73002aa4de35b78128a808e795920f92843d3f21fbe4eb96a9030ff7936b93d',
    samples: [
      [0, 0.1109771728515625],
      [1, -0.158538818359375],
      [15, 0.0],
      [16, 0.0158538818359375],
      [31, -0.1268310546875],
      [127, 0.04619598388671875],
    ],
  },
  Q5_1: {
    blocks:
      'hSQSKDFKQ5jNSLRUh1YD+9GTUaW5ygAqO5k6Kgv9CvEzsRqRZ5PAxe5b4LddP2mRMSkYKfKfd7UQtNEt0pPxuFq/yY4WUMlyCqbyKSEpbaKp98EfdemCOsFLQcbv23cF',
    elements: 128,
    sha256: '57d277ab221590fa0e9952c8216d4820f59c5a46b3090308f17589b63d5aa8a6',
    samples: [
      [0, 0.5437774658203125],
      [1, 0.17303466796875],
      [15, 0.208343505859375],
      [16, 0.526123046875],
      [31, 0.349578857421875],
      [127, -0.33099365234375],
    ],
  },
  Q4_K: {
    blocks:
      'WRqBIh1Dp4hVY4FE62YD97JyXeEf5qwviKaBgoaXk/Cq1t7YEW46tRaBxKN0/scKaLPkvckrOHmHQWwX7JCWPsdmiIq0uA66fFz9gRIb6pzuGBDf1RafrybNe1wwyKukTZcimejHtBuaHSsPGAYAqXTWO2MyICyZjoKyUixJxDlMfXMmW2qvYbKI+9Cuz6dmAMEAOmFiI2EedkyTqjiP+r0KamQSsgmXHi2CcHb35Jq4+hlycb5To0QrEoza1yutD4ru9CoLmibXT8ePJWK4cBCXpVtVEFQ9J+1gDeMgCmdJMH/TeJnBGIGa9mdDlMP3ql+T8yyBCjfKe/EBPM34q4q0pgOZVOhMvjs/fxGDw9+DdcUXtOeGqarfdIj4krEh',
    elements: 512,
    sha256: 'cd7448ad9bcf0dc50da8910c5a01604ef87228025206b2aa860d2ec281b34ec8',
    samples: [
      [0, -0.08699417114257812],
      [1, -0.08699417114257812],
      [15, -0.26676177978515625],
      [16, 0.6320762634277344],
      [31, 0.6320762634277344],
      [259, -352.5],
      [511, -165.25],
    ],
  },
  Q5_K: {
    blocks:
      '9KkMqmP/5vQCat2Xwz86p8UD8lKql17obuCk3kROllWkCV7afFuBK27s6ifl1b1VacSaj+n4hJHr1eGIlf3a5sFOI/acML7WbBXlzhXArT03eFybHph60VvUSMDEn4TiS5CyLyP8YpWEfaiSHg7IfnoRZMdZak94Zbl3LNrXiDIcdo/ze874QcJ+WDyu+7eBBrQjoUf8JIMsJV95dA3ph0oDYZ3yJl1ykvtJBlprftljoPgkwCnbKli0XLI2qJAt0+ZZHmWble4VSVWO2BXnlUVaffI8eiGel3XumEyiwnioGBRBeVydbV6tR0af+7tZLGy175KDn4h7BSsz7+Ov0+41R8YqPUwLMDVH5754N/HwXBGkYlSXMBWloVbRNEF9NNoSkpCAydPt9h7qNIP8IXtC5FaNu4ymBB6t1hcQGptzqLenVzvbjaejC67eIYbUaxyVnCyjQSEHEJbGa+hkOA==',
    elements: 512,
    sha256: '3188d97e6acd3fc60db35fedde4766b8c75a1bf93047bbeaa7980ab75e9dd045',
    samples: [
      [0, -40.6007080078125],
      [1, -32.461669921875],
      [15, -35.71728515625],
      [16, -1.5333251953125],
      [31, -47.1119384765625],
      [511, -0.9940567016601562],
    ],
  },
  Q6_K: {
    blocks:
      'kTh62GrKVthTHJJ7kx/o8W55W5szF2fnEtvo9TMd2ZF/AeZHEN08JfTSFpCgSUUxNVUOwBk6i+0Xg9U+yURljR0olgxEsDguk0OOYHiNUeJ5oTH4Ews+pL0vXZXle9eRQ22ED05mVGCBNbv7iF00aVmkmzZAKk89zEiftlEfvgnl1yv4NOBP4CjKSZHgKr13J5/twgbSMYyouCh6b0t5UglXXXJ31FbA9ugaDlhNcwZg9Wu4tYhHX3Bmwc1xCcUHmpM+6FfbdR/yI3Jq2QaX97YYSffGG9gBY6jJo1a6kdefbSTuOhTr1BOG2Prvbp5scN9B26mutTAeWCS32w5QTx2XBoaTR2jwBa8NWiPdtGX8WkibQ+duo+OElpvkh6RA58PqUgTKu/m/6OZIyv93BKwm0iegacOS9O6zYcJO82ZTAXi0eZM4IsPAz2s8vrSvfs/yHNOkCPgCI+OT3dgIRT1rrZDv2KuitNCWIm341EanA/yyvd3Y4eKgmmM/fDSZA8tGPcTz6jNUg+VvZBaDRNG5a0EMO63j9jkPSmIxLkjSMneA',
    elements: 512,
    sha256: '939905f0a5b9c352cad0ab6d9275ee63d88777aadafce08da2fe410be4562308',
    samples: [
      [0, 3.5194015502929688],
      [1, -5.63104248046875],
      [15, -3.9886550903320312],
      [16, -7.521858215332031],
      [31, -0.2507286071777344],
      [259, 0.015937864780426025],
      [511, -0.004255771636962891],
    ],
  },
  Q2_K: {
    blocks:
      'tASLH5KQLZepDyoXSjJv0q96WBAg9FoYhTQ4MUUWj2Mnc0nYeY5MFCnX7zBHYzRr+BIGOn/aKxSs/jqPnfX7EMw/GLfxTbAaFV67cMvEz2PVnM2o2L5awxQ1JnlMaytIC30x3EgF572VyxtCZqO4O/Y+5eDe8IZJUdkNJe2Gr3gP38aPKOkxEzYLj+4QdulyP0HJokToZJVVgJbro1gX0yMSpmRXpzKl',
    elements: 512,
    sha256: 'eca7a7bce6090bb2dcf586226b7ddf3ef360e5b86461ac8d1674d23f837487e6',
    samples: [
      [0, 0.3559417724609375],
      [1, 0.37481689453125],
      [15, 0.3559417724609375],
      [16, -0.0566253662109375],
      [31, -0.0566253662109375],
      [511, -0.080230712890625],
    ],
  },
  Q3_K: {
    blocks:
      'TVTGVM3wXM0yeWn6ZotdadJVmj0UfxPYw4X04JhVfyoFQ3hb52Fbh5Qg1LS52+WOelshACcIy8n+1jgeOkN6aSAaDHAq1hxCTZN5ytC9Tbb7XV8lIOQ+HWLfjq/o0CteyV+KA1eR0XcbdclUBRutyRCQJHumbb1s7TBwsrvS648BEyisIkCmrTlRNMKXKPGsnsV1x+blqPb8MHPazBOTdgWCOEIzVl+S0C37uv7P9wQQbyqnnl8dMXI9CIwc+68/H8JbsAnTEDa5nkR0fWrkhOlKAvptDAczqvRaIQ==',
    elements: 512,
    sha256: '2dbc67bcf3339d60d920561ffb78c24a564da1d1d46c4c1a3c9f211a270bd7b4',
    samples: [
      [0, 0.08568763732910156],
      [1, -0.08568763732910156],
      [15, 0.17137527465820312],
      [16, 0.006855010986328125],
      [31, 0.010282516479492188],
      [511, -0.501708984375],
    ],
  },
  IQ4_NL: {
    blocks:
      'RapytHwzBCkiFwFA1bA+IyT4RalUHbTl2Har+wi62EIPlIR7yiXAlq0vdvhfTF4/mVEQezaAt6VCnQeC4A4nU1CKQM5NWLQD',
    elements: 128,
    sha256: 'c5fd0cfd9cf3b9c88ecbc4436187af79ddb633e23f6f3c6b9802b43c763ed196',
    samples: [
      [0, 4.065399169921875],
      [1, 2.400054931640625],
      [15, -0.048980712890625],
      [16, 0.48980712890625],
      [31, -5.534820556640625],
      [127, 2.8350982666015625],
    ],
  },
  IQ4_XS: {
    blocks:
      'NqFP7GtoeyCzpaVWm2Yk2vLdJ5zFMCubRCEAvQoqYUQ3oLIlxFV4PIumtZZMyZiWbci2Z1coikIe/XvLpjLbmRnZbrqKM5idDwfsWs2RlwY0Ku/rY2xfQxZEAcvxjI67WZbYxC9VaSNXwKkfSrv+v+2a5C2W7DfH/87zNZj6w9HXTNFcGvlx4vse2B9qYONcq951NFipd/LwsOf4Z6BzC2I79bJyDRgP0FETB0RNe5fpu0AuX1skENgyx11tS3qFW5L+CuUAT08azlMAkV1pr6UokK51UIBux45oRPHNOVTyP71wwpKnqP5kTAhrawX4+iL9EkaY9ztzMsivsLCCEQpNDPqd/tkoKUxEIuNUAOo=',
    elements: 512,
    sha256: '1bd8782455a80fa5db8826ec808d179f554d2a48740dd3944b8d047205d5d2bb',
    samples: [
      [0, 17.861709594726562],
      [1, 9.617843627929688],
      [15, -10.442230224609375],
      [16, -10.442230224609375],
      [31, -3.5723419189453125],
      [511, -16.380924224853516],
    ],
  },
};

const decode = (type: GgmlTypeName, bytes: Uint8Array, elements: number): Float32Array => {
  const out = new Float32Array(elements);
  dequantise(type, bytes, out);
  return out;
};

const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));

describe('dequantise', () => {
  it.each(Object.values(ggmlTypes))('$name equals the Python package gguf bit for bit', (type) => {
    const vector = vectors[type.name];
    const bytes = bytesOf(vector.blocks);
    expect(bytes.length).toBe((vector.elements / type.blockElements) * type.blockBytes);
    const values = decode(type.name, bytes, vector.elements);
    for (const [index, value] of vector.samples) expect(values[index]).toBe(Math.fround(value));
    expect(createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex')).toBe(
      vector.sha256,
    );
  });

  // half 0x3800 = 0.5, 0x4000 = 2, 0xbc00 = -1
  it('Q8_0 is d q', () => {
    const block = new Uint8Array(34);
    block.set([0x00, 0x38, 7, 0x80, 0x7f]);
    expect([...decode('Q8_0', block, 32).subarray(0, 4)]).toEqual([3.5, -64, 63.5, 0]);
  });

  it('Q4_0 is d (q - 8), low nibbles first', () => {
    const block = new Uint8Array(18).fill(0x88);
    block.set([0x00, 0x40, 0xf0]);
    const values = decode('Q4_0', block, 32);
    expect([values[0], values[1], values[16], values[17]]).toEqual([-16, 0, 14, 0]);
  });

  it('Q4_1 is d q + m', () => {
    const block = new Uint8Array(20);
    block.set([0x00, 0x40, 0x00, 0xbc, 0x53]);
    const values = decode('Q4_1', block, 32);
    expect([values[0], values[1], values[16], values[31]]).toEqual([5, -1, 9, -1]);
  });

  it('Q4_K is d s q - dmin m, with 6-bit s and m split over bytes', () => {
    const block = new Uint8Array(144);
    block.set([0x00, 0x38, 0x00, 0x40]);
    // Group 1: s 3, m 5. Group 6: s 0b100110 = 38, m 0b010001 = 17.
    block[4 + 1] = 3;
    block[8 + 1] = 5;
    block[4 + 2] = 0b10 << 6;
    block[8 + 2] = 0b01 << 6;
    block[12 + 2] = 0b0001_0110;
    block[16] = 0x90;
    block[16 + 96 + 31] = 0x0f;
    const values = decode('Q4_K', block, 256);
    expect(values[0]).toBe(0);
    expect(values[32]).toBe(0.5 * 3 * 9 - 2 * 5);
    expect(values[33]).toBe(-10);
    expect(values[192 + 31]).toBe(0.5 * 38 * 15 - 2 * 17);
  });

  it('Q6_K is d s (q - 32), with the high bits apart', () => {
    const block = new Uint8Array(210);
    block.set([0x00, 0x40], 208);
    // Second half, third group of 32 (weights 192 to 223): high nibbles of bytes 64 to 95, bits 4
    // and 5 of the pairs.
    block[64] = 0xa0;
    block[128 + 32] = 0b11 << 4;
    block[192 + 12] = 0xfe;
    const values = decode('Q6_K', block, 256);
    expect(values[192]).toBe(2 * -2 * (0b111010 - 32));
    expect(values[193]).toBe(2 * -2 * -32);
    expect(values[0]).toBeCloseTo(0, 12);
  });

  it('F16 has every value of half precision', () => {
    const bits = Uint16Array.from({ length: 65_536 }, (_, index) => index);
    const values = decode('F16', new Uint8Array(bits.buffer), 65_536);
    const view = new DataView(bits.buffer);
    for (let index = 0; index < 65_536; index += 1) {
      if (!Object.is(values[index], view.getFloat16(2 * index, true))) {
        expect({ index, value: values[index] }).toEqual({
          index,
          value: view.getFloat16(2 * index, true),
        });
      }
    }
  });
});

describe('roundToBfloat16', () => {
  const round = (value: number): number => {
    const out = new Uint16Array(1);
    roundToBfloat16(Float32Array.of(value), out);
    return out[0]!;
  };

  it('rounds to nearest, ties to even', () => {
    expect(round(1)).toBe(0x3f80);
    expect(round(1 + 2 ** -8)).toBe(0x3f80);
    expect(round(1 + 3 * 2 ** -8)).toBe(0x3f82);
    expect(round(1 + 2 ** -8 + 2 ** -20)).toBe(0x3f81);
    expect(round(-1 - 3 * 2 ** -8)).toBe(0xbf82);
  });

  it('keeps infinities, NaN and the sign of zero, and overflows to infinity', () => {
    expect(round(Number.POSITIVE_INFINITY)).toBe(0x7f80);
    expect(round(3.4028234e38)).toBe(0x7f80);
    expect(round(-0)).toBe(0x8000);
    expect(round(Number.NaN) & 0x7fff).toBeGreaterThan(0x7f80);
  });
});
