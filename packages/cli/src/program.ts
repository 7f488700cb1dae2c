import { readFileSync } from 'node:fs';
import { styleText } from 'node:util';
import { Command } from 'commander';
import { clearer } from './clearer.ts';
import { cutMessage } from './cut-message.ts';
import { exitCodes, reportFailure } from './failure.ts';
import { addFlags, givenFlags, repeatedFlags, withPlainBooleans } from './flags.ts';
import { complain } from './terminal.ts';
import { verbs } from './verb-list.ts';

/** Runs one command line. @returns the exit code */
export async function runProgram(args: readonly string[]): Promise<number> {
  const [first, second] = args;
  const named = first === 'help' ? second : first;
  let plainArgs: readonly string[] = args;
  let exitCode: number = exitCodes.done;
  try {
    const program = newProgram();
    for (const { name, summary, ...verb } of verbs) {
      const command = program
        .command(name)
        .summary(summary)
        .description(`${capital(summary)}.`);
      // Loading only the options of this verb keeps the command fast.
      if (name !== named) continue;
      const { definition, example, operand } = await verb.options();
      const { descriptors } = definition;
      command.addHelpText('after', () => `\n${bold('Example:')}\n  ${example}`);
      addFlags(command, descriptors, operand);
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
        const { run } = await verb.run();
        exitCode = await run(options);
      });
    }
    await program.parseAsync(plainArgs, { from: 'user' });
  } catch (error) {
    return reportFailure(error, named);
  }
  return exitCode;
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
    .exitOverride()
    .configureOutput({ outputError: (message, write) => write(clearer(cutMessage(message))) })
    .showHelpAfterError('See `keel --help`.');
}

const bold = (text: string): string => styleText('bold', text, { validateStream: false });
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
