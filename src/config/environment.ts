import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { type Static, type TObject, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';

/** What a schema says of a variable beside its type. */
interface Meta {
  /** The rule, as in "must ...". */
  readonly must: string;
  /** Never printed; it may also come as a file that `NAME_FILE` names. */
  readonly secret?: true;
  /** Whether a secret's file may be empty, which is as if there were none. Else somebody has forgotten to fill it in. */
  readonly mayBeEmpty?: true;
  readonly default?: string | number;
}

export const Text = (meta: Meta & { pattern?: string }) => Type.String({ minLength: 1, ...meta });

export const Whole = (minimum: number, maximum: number, unit: string, value?: number) =>
  Type.Integer({
    minimum,
    maximum,
    ...(value !== undefined && { default: value }),
    must: `be a whole number from ${minimum} to ${maximum}${unit}`,
  });

export const OneOf = (values: readonly string[], meta: { default?: string } = {}) =>
  Type.Union(
    values.map((value) => Type.Literal(value)),
    { must: `be one of ${values.join(', ')}`, ...meta },
  );

/**
 * The environment is not fit to start with; `faults` names every variable at fault, and never a value. The message ends with
 * the warnings: what is missing may be misspelt.
 */
export class ConfigError extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[], warnings: readonly string[] = []) {
    const listed = (lines: readonly string[]) => lines.map((line) => `\n  ${line}`).join('');
    super(
      `The configuration has ${faults.length} fault(s):${listed(faults)}` +
        (warnings.length > 0 ? `\nand ${warnings.length} warning(s):${listed(warnings)}` : ''),
    );
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/** The text of a variable; white space at its ends is no part of it, and an empty one counts as unset. */
export const textOf = (value: string | undefined): string | undefined => value?.trim() || undefined;

/**
 * Reads the variables of a schema: whole numbers converted, defaults filled in, secrets also from files.
 *
 * @param environment as in `process.env`
 * @param faults gets a line for each variable that is missing or wrong; with any, do not use the result
 */
export function readVariables<T extends TObject>(
  schema: T,
  environment: NodeJS.ProcessEnv,
  faults: string[],
): Static<T> {
  const found: Record<string, unknown> = {};
  const failed = new Set<string>();
  for (const [name, property] of Object.entries(schema.properties)) {
    try {
      const text = property.secret ? readSecret(name, property, environment) : textOf(environment[name]);
      if (text !== undefined) {
        found[name] = property.type === 'integer' && /^\d{1,15}$/.test(text) ? Number(text) : text;
      }
    } catch (error) {
      failed.add(name);
      faults.push(`${name}_FILE: ${(error as Error).message}`);
    }
  }
  const values = Value.Default(schema, found) as Static<T>;
  for (const { path } of Value.Errors(schema, values)) {
    const name = path.slice(1);
    if (failed.has(name)) continue;
    failed.add(name);
    const { must } = schema.properties[name] as unknown as Meta;
    faults.push(`${name}: ${name in found ? 'must' : 'is missing; it must'} ${must}`);
  }
  return values;
}

function readSecret(
  name: string,
  { mayBeEmpty }: Partial<Meta>,
  environment: NodeJS.ProcessEnv,
): string | undefined {
  const text = textOf(environment[name]);
  const file = textOf(environment[`${name}_FILE`]);
  if (file === undefined) return text;
  if (text !== undefined) throw new Error(`must not be set beside ${name}; unset one of the two`);
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    const or = mayBeEmpty ? '; an empty one will do' : '';
    throw new Error(`must name a readable file (${(error as NodeJS.ErrnoException).code})${or}`);
  }
  // Decoding would make the same three bytes of all that are wrong, and a weak secret look long.
  if (!isUtf8(content)) throw new Error('must name a file of text; encode random bytes as hex, for example');
  const secret = textOf(content.toString());
  if (secret === undefined && !mayBeEmpty) throw new Error('must not name an empty file');
  return secret;
}
