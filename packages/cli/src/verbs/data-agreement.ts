import {
  agreementOf,
  checkConsensus,
  consensusOf,
  importFiles,
  PreferenceStore,
  qualityOf,
  writeConsensus,
} from '@keel/studio';
import { showAgreement, showFlags } from '../collecting/agreement-display.ts';
import { openStore } from '../collecting/open-store.ts';
import type { DataAgreementOptions } from '../options/data-agreement.ts';
import { complain, say, sayJson } from '../terminal.ts';

export async function run(options: DataAgreementOptions): Promise<number> {
  const { files, consensus: output, independent, overwrite, json } = options;
  if (output !== null) checkConsensus(output, overwrite);
  // Files are read into a store in memory, so that both are the same from here on.
  await using store =
    files === null ? await openStore(options.database) : await PreferenceStore.open(':memory:');
  const name = options.project ?? 'files';
  if (files !== null) {
    const { from, columns, onBadRow, person, question } = options;
    const { badRows, firstBadRow } = await importFiles(store, {
      ...{ files, from, columns, onBadRow, person, question, score: null, project: name },
      ...{ overlap: 1, gold: false, seed: 42, guidelines: null },
    });
    if (badRows > 0) complain(`note: ${badRows} bad rows skipped. First fault: ${firstBadRow}`);
  }
  const project = await store.project(name);
  const votes = await store.votes(project, { independent });
  if (votes.lines.length === 0) {
    const where = files === null ? `project ${name} of ${store.name}` : files.join(', ');
    throw new Error(
      independent
        ? `${where} has no verdicts from before a suggestion was shown. Leave out --independent to use all`
        : `${where} has no verdicts yet. Import rows with verdicts, or annotate first`,
    );
  }
  const report = agreementOf(votes);
  const { tooFast } = await store.settings(project);
  const quality = qualityOf(votes, { streaks: await store.streaks(project), tooFast });
  const consensus = output === null ? null : consensusOf(votes);
  const written = consensus === null ? 0 : await writeConsensus(store, project, consensus, output!);
  if (json) {
    const found = consensus === null ? {} : { output, accuracies: consensus.accuracies };
    sayJson({ ...report, quality, ...(consensus !== null && { consensus: found }) });
    return 0;
  }
  showAgreement(report, consensus);
  showFlags(quality);
  if (output !== null) say(`${written} rows written to ${output}`);
  return 0;
}
