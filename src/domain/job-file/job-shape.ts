import { JobValue } from './job-json.js';

export const JOB_DIALECTS = ['dataworks-2.0', 'dataworks-1.0', 'datax'] as const;
export type JobDialect = (typeof JOB_DIALECTS)[number];

export interface JobEnd {
  /** The system, without `reader` and `writer`, in small letters: `mysql`, `txtfile`, `odps`. */
  readonly kind: string;
  readonly parameter: JobValue;
}

/** A job file of any dialect, its parts found and nothing translated yet. */
export interface JobShape {
  readonly dialect: JobDialect;
  readonly reader: JobEnd;
  readonly writer: JobEnd;
  readonly setting: JobValue | undefined;
  /** DataX: how its engine is tuned. */
  readonly core: JobValue | undefined;
  readonly transformers: readonly JobValue[];
  readonly extend: JobValue | undefined;
}

/** Finds reader, writer and settings of DataWorks script mode (2.0 and 1.0) and DataX. Throws MR-D216. */
export function shapeOf(root: JobValue): JobShape {
  if (root.type !== 'object') throw root.refuse(`an object is expected, not ${root.words()}`);
  const job = root.object('job');
  if (job !== undefined) return dataxShape(root, job);
  const type = root.text('type');
  if (type !== undefined && type !== 'job') {
    throw root.child('type')?.refuse(`only "job" is known, not "${type}"`) ?? root.refuse('type');
  }
  if (root.child('configuration') !== undefined) return firstShape(root);
  if (root.child('steps') !== undefined) return stepsShape(root);
  throw root.refuse(
    'neither `steps` (DataWorks 2.0) nor `configuration` (DataWorks 1.0) nor `job` (DataX) is there',
  );
}

function kindOf(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/(reader|writer)(v\d+)?$/, '');
}

function endOf(holder: JobValue, end: 'reader' | 'writer', nameKey: string): JobEnd {
  const found = holder.object(end);
  if (found === undefined) throw holder.refuse(`\`${end}\` is missing`);
  const name = found.filled(nameKey);
  if (name === undefined) throw found.refuse(`\`${nameKey}\` is missing`);
  return { kind: kindOf(name), parameter: parameterOf(found) };
}

function parameterOf(found: JobValue): JobValue {
  const parameter = found.object('parameter');
  if (parameter === undefined) throw found.refuse('`parameter` is missing');
  return parameter;
}

function dataxShape(root: JobValue, job: JobValue): JobShape {
  const [content, ...others] = job.items('content');
  if (content === undefined) throw job.refuse('`content` is missing');
  for (const other of others) other.note('unused', 'DataX runs the first content alone');
  for (const other of others) other.take();
  root.passOver(['entry']);
  return {
    dialect: 'datax',
    reader: endOf(content, 'reader', 'name'),
    writer: endOf(content, 'writer', 'name'),
    setting: job.object('setting'),
    core: root.object('core'),
    transformers: content.items('transformer'),
    extend: job.object('extend'),
  };
}

function firstShape(root: JobValue): JobShape {
  passOverRoot(root);
  const configuration = root.object('configuration');
  if (configuration === undefined) throw root.refuse('`configuration` is missing');
  return {
    dialect: 'dataworks-1.0',
    reader: endOf(configuration, 'reader', 'plugin'),
    writer: endOf(configuration, 'writer', 'plugin'),
    setting: configuration.object('setting') ?? configuration.object('dataxSetting'),
    core: undefined,
    transformers: [],
    extend: root.object('extend'),
  };
}

function stepsShape(root: JobValue): JobShape {
  passOverRoot(root);
  const steps = root.items('steps');
  const reader = stepOf(root, steps, 'reader');
  const writer = stepOf(root, steps, 'writer');
  for (const step of steps) if (step !== reader && step !== writer) setAside(step);
  checkHops(root, reader, writer);
  return {
    dialect: 'dataworks-2.0',
    reader: stepEnd(reader),
    writer: stepEnd(writer),
    setting: root.object('setting') ?? root.object('dataxSetting'),
    core: undefined,
    transformers: [],
    extend: root.object('extend'),
  };
}

function passOverRoot(root: JobValue): void {
  root.text('version');
  root.passOver(['traceId']);
  // The wizard writes it into every file, whether rows are transformed or not.
  if (root.child('transform')?.words() === 'false') root.passOver(['transform']);
}

/** Old files have no category, but the name says it. */
function categoryOf(step: JobValue): string {
  return (step.filled('category') ?? step.text('name') ?? '').toLowerCase();
}

function stepOf(root: JobValue, steps: readonly JobValue[], category: string): JobValue {
  const found = steps.filter((step) => categoryOf(step) === category);
  const [step, second] = found;
  if (step === undefined) throw root.refuse(`no step has the category "${category}"`);
  if (second !== undefined) throw second.refuse(`a second ${category}: a sync has one`);
  return step;
}

function stepEnd(step: JobValue): JobEnd {
  const name = step.filled('stepType');
  if (name === undefined) throw step.refuse('`stepType` is missing');
  step.text('name');
  step.text('copies');
  step.passOver(['gui']);
  return { kind: kindOf(name), parameter: parameterOf(step) };
}

/** The wizard leaves a processor that does nothing; any other step would change rows. */
function setAside(step: JobValue): void {
  const parameter = step.object('parameter');
  const isEmpty =
    step.filled('stepType') === undefined &&
    ['nodes', 'edges', 'groups'].every((key) => (parameter?.items(key) ?? []).length === 0);
  if (!isEmpty) {
    const name = step.text('name') ?? '';
    step.note('lost', `the step ${name} (${categoryOf(step)}) is not carried over`);
  }
  step.take();
}

function checkHops(root: JobValue, reader: JobValue, writer: JobValue): void {
  const order = root.object('order');
  const names = { from: reader.text('name'), to: writer.text('name') };
  for (const hop of order?.items('hops') ?? []) {
    const [from, to] = [hop.text('from'), hop.text('to')];
    // A step in between has been looked at by itself.
    if (from === names.to || to === names.from) {
      throw hop.refuse(
        `the order runs from ${from ?? '?'} to ${to ?? '?'}, against reader and writer`,
      );
    }
  }
}
