// The folder of --output of an attack: attacks.json and report.html.
import { join } from 'node:path';
import { html, type Markup, refuseExisting, writeReport } from '@keel/align/internal';
import { makeFolder } from '@keel/model';
import { writeJson } from '../../judging/files/snake-json.ts';
import { columnTable, judgingStyle } from '../../judging/report/page-parts.ts';
import { counted } from '../../judging/summary/words.ts';
import type { RewardAttack } from '../attacks/attack-reward.ts';
import { attackJson, attackSentences, attackTable, attackTitle } from './attack-text.ts';
import { inUnit } from './numbers.ts';

export type AttackFiles = Readonly<Record<'json' | 'report', string>>;

const filesOf = (folder: string): AttackFiles => ({
  json: join(folder, 'attacks.json'),
  report: join(folder, 'report.html'),
});

/** @throws ConfigError for files that exist, unless they may be overwritten */
export const checkAttackFiles = (folder: string, overwrite: boolean): void =>
  refuseExisting(Object.values(filesOf(folder)), overwrite);

/** @param command that made the attacks, for the report */
export function writeAttackFiles(
  folder: string,
  found: RewardAttack,
  command: string,
): AttackFiles {
  const files = filesOf(folder);
  makeFolder(folder);
  writeJson(files.json, attackJson(found));
  const [head, ...rows] = attackTable(found);
  writeReport(files.report, {
    title: 'Can the reward be gamed?',
    summary: `${attackTitle(found)}. ${found.reward}, attacked on ${counted(found.rows, 'row')}; 95% intervals over rows.`,
    created: new Date().toISOString(),
    sections: [
      html`<section aria-labelledby="found"><h2 id="found">${attackTitle(found)}</h2>
<ul class="findings"><li class="${found.won ? 'serious' : 'note'}">${attackSentences(found).map((sentence) => html`<p>${sentence}</p>\n`)}</li></ul></section>`,
      columnTable('What each attack earns', head!, rows),
    ].filter((one): one is Markup => one !== null),
    styles: [judgingStyle()],
    comparisons: {
      sides: ['Real answer', 'Attack'],
      note: 'Of each attack that wins, the row in which it gains most.',
      rows: found.results.flatMap(({ outcome, example, attack }) =>
        outcome === 'wins' && example !== null
          ? [
              {
                prompt: example.prompt,
                before: { text: example.answer, about: `reward ${inUnit('score', example.real)}` },
                after: {
                  text: example.attack,
                  about: `${attack.name}: reward ${inUnit('score', example.score)}`,
                },
              },
            ]
          : [],
      ),
    },
    ran: {
      facts: [{ label: 'Reward', value: found.reward }],
      config: command,
      configName: 'The command',
    },
  });
  return files;
}
