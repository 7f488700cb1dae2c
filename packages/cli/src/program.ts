import { readFileSync } from 'node:fs';
import { styleText } from 'node:util';
import { readLaunch } from '@keel/torch/launch';
import { Command } from 'commander';
import { clearer } from './clearer.ts';
import { cutMessage } from './cut-message.ts';
import { exitCodes, reportFailure } from './failure.ts';
import { addFlags, givenFlags, repeatedFlags, withPlainBooleans } from './flags.ts';
import { complain } from './terminal.ts';
import type { Verb, VerbGroup } from './verb.ts';
import { commands } from './verb-list.ts';

/** Runs one command line. @returns the exit code */
export async function runProgram(given: readonly string[]): Promise<number> {
  const args = withGroupFirst(given);
  const words = args.filter((word) => word !== 'help');
  const named = commands
    .flatMap((one) => ('verbs' in one ? [...one.verbs, one] : [one]))
    .find(({ name }) => name.split(' ').every((word, at) => word === words[at]));
  let plainArgs: readonly string[] = args;
  let exitCode: number = exitCodes.done;

  async function addVerb(parent: Command, { name, summary, ...verb }: Verb): Promise<void> {
    const command = parent
      .command(name.split(' ').at(-1)!)
      .summary(summary)
      .description(`${capital(summary)}.`);
    // Loading only the options of this verb keeps the command fast.
    if (name !== named?.name) return;
    const { definition, example, operand, passThrough = false } = await verb.options();
    const { descriptors } = definition;
    command.addHelpText('after', () => `\n${bold('Example:')}\n  ${example}`);
    addFlags(command, descriptors, operand);
    if (passThrough) command.passThroughOptions();
    plainArgs = withPlainBooleans(args, descriptors, operand !== undefined);
    command.configureOutput({
      outputError: (message, write) => write(clearer(cutMessage(message), descriptors)),
    });
    command.showHelpAfterError(`See \`keel ${name} --help\`.`);
    command.action(async () => {
      const { resolveOptions } = await import('@keel/align/config');
      for (const text of repeatedFlags(command, descriptors)) complain(`note: ${text}`);
      const flags = givenFlags(command, descriptors, operand);
      const config = typeof flags.config === 'string' ? flags.config : null;
      const options = resolveOptions(definition, { flags, config });
      if (!verb.together) refuseSeveral(name);
      const { run } = await verb.run();
      exitCode = await run(options);
    });
  }

  try {
    const program = newProgram();
    for (const one of commands) {
      if (!('verbs' in one)) await addVerb(program, one);
      else {
        const group = newGroup(program, one);
        for (const verb of one.verbs) await addVerb(group, verb);
      }
    }
    await program.parseAsync(plainArgs, { from: 'user' });
  } catch (error) {
    return reportFailure(error, named?.name);
  }
  return exitCode;
}

/** @throws Error where a launcher has started several processes, which would do the same work */
function refuseSeveral(name: string): void {
  const launch = readLaunch();
  if (launch === null) return;
  throw new Error(
    `keel ${name} runs in one process, and a launcher has started ${launch.size} (WORLD_SIZE). Start it by itself, without torchrun, srun or keel launch`,
  );
}

/** `help data convert` as `data help convert`, since commander's help knows one level only. */
function withGroupFirst(args: readonly string[]): readonly string[] {
  const [first, second, ...rest] = args;
  const isGroup = commands.some((one) => one.name === second && 'verbs' in one);
  return first === 'help' && isGroup ? [second!, 'help', ...rest] : args;
}

function newGroup(program: Command, { name, summary }: VerbGroup): Command {
  return program
    .command(name)
    .summary(summary)
    .description(`${capital(summary)}.`)
    .helpCommand('help [verb]', "show a verb's options")
    .commandsGroup('Verbs:')
    .usage('<verb> [options]')
    .addHelpText(
      'after',
      `\n\`keel ${name} <verb> --help\` shows its common options and an example; ` +
        '`--help-all` all options.',
    )
    .showHelpAfterError(`See \`keel ${name} --help\`.`);
}

function newProgram(): Command {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  return new Command('keel')
    .description('Align language models with human preferences.')
    .version(version, '-v, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [verb]', "show a verb's options")
    .commandsGroup('Verbs:')
    .usage('<verb> [options]')
    .addHelpText(
      'after',
      '\n`keel <verb> --help` shows its common options and an example; `--help-all` all options.',
    )
    .configureHelp({ styleTitle: bold })
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: (message, write) => write(clearer(cutMessage(message))) })
    .showHelpAfterError('See `keel --help`.');
}

const bold = (text: string): string => styleText('bold', text, { validateStream: false });
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
