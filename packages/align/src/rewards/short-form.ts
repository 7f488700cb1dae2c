import { existsSync, statSync } from 'node:fs';
import { soughtAt } from '@keel/model/without-torch';
import { ConfigError } from '../config/config-error.ts';
import { namesJudge } from './judging-reward.ts';
import { type ComponentSpec, componentSchema } from './reward-spec.ts';

const forms =
  'a spec (.yaml, .json), a folder of a reward model, module.ts, regex:/…/, length:…, penalty:…, code, judge:MODEL';

/**
 * A reward as it is written on the command line, except for spec files:
 * `regex:/pattern/flags`, `length:50-200`, `length:-200:words`, `length:~150:tokens`,
 * `penalty:hedges`, `penalty:bold,headers:2` (what is above 2), `code`,
 * `judge:MODEL`, `judge:JUDGE` (a judge's spec or short form), `module.ts`, `module.ts#name`, a
 * folder of a reward model.
 * @throws ConfigError for anything else
 */
export function parseShortForm(text: string): ComponentSpec {
  const [kind, rest] = split(text);
  if (kind === 'regex') return checked(text, regex(rest));
  if (kind === 'length') return checked(text, length(rest));
  if (kind === 'penalty') return checked(text, penalty(rest));
  if (kind === 'code') return checked(text, { type: 'code', ...(rest && { language: rest }) });
  if (kind === 'judge') {
    return checked(text, { type: 'judge', [namesJudge(rest) ? 'judge' : 'model']: rest });
  }
  if (/\.(?:[cm]?[jt]s)(?:#[^/\\]*)?$/.test(text)) {
    return checked(text, { type: 'function', module: text });
  }
  if (existsSync(text) && statSync(text).isDirectory()) {
    return checked(text, { type: 'model', path: text });
  }
  throw new ConfigError([
    `--reward ${text}: there is no such file or folder${soughtAt(text)}. Expected ${forms}`,
  ]);
}

function split(text: string): [kind: string, rest: string] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}

function regex(rest: string): object {
  const slashes = /^\/([\s\S]+)\/([a-z]*)$/.exec(rest);
  if (!slashes) throw new ConfigError([`--reward regex:${rest}: write regex:/pattern/flags`]);
  return { type: 'regex', pattern: slashes[1], flags: slashes[2] };
}

function length(rest: string): object {
  const parts = /^(?:~(\d+)|(\d*)-(\d*))(?::([a-z]+))?$/.exec(rest);
  if (!parts) {
    throw new ConfigError([
      `--reward length:${rest}: write length:50-200, length:-200 or length:~150, optionally with :words or :tokens`,
    ]);
  }
  const [, target, min, max, unit] = parts;
  const numbers = Object.entries({ target, min, max }).filter(([, value]) => value);
  return {
    type: 'length',
    ...Object.fromEntries(numbers.map(([name, value]) => [name, Number(value)])),
    ...(unit && { unit }),
  };
}

function penalty(rest: string): object {
  const [names, above] = split(rest);
  return {
    type: 'penalty',
    feature: names.split(','),
    ...(above !== '' && { above: Number(above) }),
  };
}

function checked(text: string, spec: object): ComponentSpec {
  const parsed = componentSchema.safeParse(spec);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ConfigError([`--reward ${text}: ${issue!.path.join('.')}: ${issue!.message}`]);
}
