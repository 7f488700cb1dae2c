// Writes src/ops.generated.ts from the dispatcher's own schemas: `npm run generate -w @keel/torch`.
import { renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { native, type OperatorSchema, type SchemaArgument } from '../src/native.ts';
import { operators } from '../src/operators.ts';

const baseTypes: Record<string, string> = {
  Tensor: 'Tensor',
  int: 'number',
  SymInt: 'number',
  float: 'number',
  bool: 'boolean',
  str: 'string',
  Scalar: 'number | boolean',
  ScalarType: 'DType',
  Device: 'Device',
  MemoryFormat: 'number',
  Layout: 'number',
  number: 'number',
};

const skipped = new Set(['Layout', 'MemoryFormat', 'Generator', 'Storage', 'Stream']);
const reserved = new Set(['self', 'function', 'default', 'in', 'out', 'var', 'new', 'this']);

const camel = (text: string): string =>
  text.replace(/[_.]+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());

function functionName(name: string, overload: string): string {
  const base = name.split('::')[1] ?? name;
  const inPlace = base.endsWith('_') ? '_' : '';
  const joined = camel(`${base.replace(/^_+|_+$/g, '')}${overload === '' ? '' : `_${overload}`}`);
  return `${joined}${inPlace}`.replace(/^var$/, 'variance');
}

/**
 * For a schema type such as `Tensor?[]`: its element type, whether it is optional, and whether it
 * is a list.
 */
function parseType(type: string): {
  base: string;
  optional: boolean;
  list: boolean;
  optionalElements: boolean;
} {
  let text = type;
  const optional = text.endsWith('?');
  if (optional) text = text.slice(0, -1);
  const list = /\[\d*\]$/.test(text);
  if (list) text = text.replace(/\[\d*\]$/, '');
  const optionalElements = text.endsWith('?');
  if (optionalElements) text = text.slice(0, -1);
  return { base: text, optional, list, optionalElements };
}

function typescriptType(type: string): string {
  const { base, optional, list, optionalElements } = parseType(type);
  let result = baseTypes[base];
  if (result === undefined) throw new Error(`no TypeScript type for ${type}`);
  if (optionalElements) result = `(${result} | null)`;
  if (list)
    result = `readonly ${result.includes('|') && !result.startsWith('(') ? `(${result})` : result}[]`;
  return optional ? `${result} | null` : result;
}

function nativeValue(argument: SchemaArgument, name: string): string {
  const { base, optional, list } = parseType(argument.type);
  const absent = optional || argument.hasDefault;
  if (base === 'Tensor') {
    if (list) return `${name}.map(handleOf)`;
    return absent ? `${name}?.handle` : `${name}.handle`;
  }
  if (base === 'ScalarType') return absent ? `codeOf(${name})` : `dtypeCode(${name})`;
  return name;
}

function resultType(returns: string[]): { type: string; wrap: (call: string) => string } {
  const one = (type: string): { type: string; wrap: (call: string) => string } => {
    const { base, list } = parseType(type);
    if (base === 'Tensor' && list) return { type: 'Tensor[]', wrap: (call) => `tensors(${call})` };
    if (base === 'Tensor') return { type: 'Tensor', wrap: (call) => `tensor(${call})` };
    return { type: baseTypes[base] ?? 'unknown', wrap: (call) => `${call} as ${baseTypes[base]}` };
  };
  if (returns.length === 0) return { type: 'void', wrap: (call) => `void ${call}` };
  if (returns.length === 1) return one(returns[0]!);
  const types = returns.map((type) => one(type).type);
  return {
    type: `[${types.join(', ')}]`,
    wrap: (call) => `tensors(${call}) as [${types.join(', ')}]`,
  };
}

function generate(full: string): string {
  const [name, overload = ''] = full.split('.') as [string, string?];
  const schema: OperatorSchema | undefined = native
    .schemas(name)
    .find((one) => one.overload === overload);
  if (schema === undefined) throw new Error(`the dispatcher has no operator ${full}`);
  const identifier = functionName(name, overload);
  const shown = schema.arguments.filter((argument) => !skipped.has(parseType(argument.type).base));
  // A parameter may be omitted if all parameters after it may be.
  const required = shown.findLastIndex(
    (argument) => !argument.hasDefault && !parseType(argument.type).optional,
  );
  const parameters = shown.map((argument, index) => {
    const label = camel(reserved.has(argument.name) ? `${argument.name}_value` : argument.name);
    const clean = argument.name === 'self' ? 'input' : label;
    const type = typescriptType(argument.type);
    const optional = index > required;
    const absent = argument.hasDefault && !optional ? ' | undefined' : '';
    return { clean, text: `${clean}${optional ? '?' : ''}: ${type}${absent}`, argument };
  });
  const { type, wrap } = resultType(schema.returns);
  const values = schema.arguments.map((argument) => {
    const parameter = parameters.find((one) => one.argument === argument);
    return parameter === undefined ? 'undefined' : nativeValue(argument, parameter.clean);
  });
  while (values.at(-1) === 'undefined') values.pop();
  const slot = `operator_${identifier}`;
  return [
    `const ${slot} = lazy('${name}', '${overload}');`,
    `/** \`${schema.schema}\` */`,
    `export function ${identifier}(${parameters.map((one) => one.text).join(', ')}): ${type} {`,
    `  return ${wrap(`call(${[slot, ...values].join(', ')})`)};`,
    '}',
  ].join('\n');
}

/** The whole text of src/ops.generated.ts. @throws Error if the dispatcher lacks an operator. */
export const generatedText =
  (): string => `// Generated from LibTorch's operator schemas by scripts/generate-ops.ts. Do not edit.
import { type Device, type DType, dtypeCode } from './dtype.ts';
import { call, codeOf, handleOf, lazy, tensor, tensors } from './call.ts';
import type { Tensor } from './tensor.ts';

${operators.map(generate).join('\n\n')}
`;

if (import.meta.main) {
  const target = fileURLToPath(new URL('../src/ops.generated.ts', import.meta.url));
  const aside = `${target}.part`;
  writeFileSync(aside, generatedText());
  renameSync(aside, target);
  process.stdout.write(`${operators.length} operators written to ${target}\n`);
}
