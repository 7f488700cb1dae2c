import { formatBytes, formatCount, type ModelFacts, type RunPlan } from '@keel/align/internal';

/** What a run is going to do, in aligned lines. */
export function runPlanText(plan: RunPlan): string {
  return alignedLines([
    ['model', modelText(plan.model)],
    ['trained', trainedText(plan)],
    ['rows', rowsText(plan)],
    ['steps', stepsText(plan)],
    ...plan.facts.map(({ name, text }) => [name, text] as const),
    ['rate', rateText(plan)],
    ['machine', machineText(plan.machine)],
    ['output', outputText(plan)],
  ]);
}

/** Names and their texts, in two columns. */
export function alignedLines(lines: readonly (readonly [name: string, text: string])[]): string {
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join('\n');
}

export function modelText(facts: ModelFacts): string {
  const { name, family, parameters, stored, basePrecision } = facts;
  const parts = [`${name}: ${family}, ${formatCount(parameters)} parameters`];
  if (stored !== null) {
    const { container, type, quantised } = stored;
    const kept = basePrecision === 'kept';
    parts.push(`${container} ${type}${quantised ? (kept ? ', kept' : ', dequantised') : ''}`);
  }
  if (basePrecision === 'nf4') parts.push('linear layers held in NF4');
  if (basePrecision === 'bf16') parts.push('held in bf16');
  return parts.join(', ');
}

function trainedText({ trained: { parameters, share, adapter } }: RunPlan): string {
  const count = `${formatCount(parameters)} parameters`;
  if (adapter === null) return `${count}, all weights`;
  const { rank, modules, allLinear, layers, ofLayers, from } = adapter;
  const which = allLinear ? 'all linear layers' : modules.join(', ');
  const where = layers === ofLayers ? '' : ` in ${layers} of ${ofLayers} layers`;
  const began = from === null ? '' : `, from ${from}`;
  return `${count} (${(100 * share).toPrecision(2)}%): LoRA, rank ${rank}, on ${which}${where}${began}`;
}

function rowsText({ rows: { kind, training, skipped, heldOut } }: RunPlan): string {
  const what = kind === 'rows' ? 'to train on' : 'to answer';
  const left = skipped > 0 ? ` (${skipped} skipped)` : '';
  const held = heldOut === null ? 'none' : String(heldOut);
  return `${training} ${kind} ${what}${left}, ${held} held out`;
}

function stepsText({ steps, rows: { kind }, passes }: RunPlan): string {
  const { total, done, epochs, batchSize, perBatch } = steps;
  const resumed = done > 0 ? `, resumed after step ${done}` : '';
  const each = perBatch > 1 ? `, ${perBatch} on each batch` : '';
  const parts = [
    passes.rows === null ? [] : [`${passes.rows} ${kind}`],
    passes.tokens === null ? [] : [`${passes.tokens} tokens`],
  ].flat();
  const split = parts.length === 0 ? '' : `, in passes of at most ${parts.join(' and ')}`;
  const passed = `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`;
  return `${total} (${passed})${resumed}, ${batchSize} ${kind} per batch${each}${split}`;
}

function rateText({ learningRate: { peak, scheduler, warmupSteps } }: RunPlan): string {
  const warmup = warmupSteps === 0 ? '' : `, after ${warmupSteps} steps of warm-up`;
  const course = scheduler === 'constant' ? 'constant' : `${scheduler} to 0`;
  return `${peak.toExponential()}, ${course}${warmup}`;
}

export function machineText({ precision, device, threads, processes }: RunPlan['machine']): string {
  const where =
    device === 'cpu'
      ? `${precision} on the CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
      : `${precision} on ${device}`;
  return processes === undefined ? where : `${where} in each of ${processes} processes`;
}

function outputText({ output, checkpoints }: RunPlan): string {
  const { every, count, bytesEach, resultBytes, freeBytes } = checkpoints;
  const free = freeBytes === null ? '' : `; ${formatBytes(freeBytes)} free`;
  const result = `result of about ${formatBytes(resultBytes)}`;
  if (every === null) return `${output}: no checkpoints, ${result}${free}`;
  const kept = `${count} ${count === 1 ? 'checkpoint' : 'checkpoints'} of about ${formatBytes(bytesEach)}`;
  return `${output}: ${kept} (every ${every} steps and at the end), ${result}${free}`;
}

/** The plan as JSON: names in snake_case, and a method's facts by their names. */
export function runPlanJson({ facts, ...plan }: RunPlan): Record<string, unknown> {
  const own = Object.fromEntries(facts.map(({ name, data }) => [name, data]));
  return snakeKeys({ ...plan, ...own }) as Record<string, unknown>;
}

/** Plain data with its keys in snake_case. */
export function snakeKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, one]) => [
    key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    snakeKeys(one),
  ]);
  return Object.fromEntries(entries);
}
