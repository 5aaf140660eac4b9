/* oxlint-disable max-lines -- one table: whoever looks for a code finds it here */
import type { ErrorSpec } from './error-spec.js';

/**
 * Every code a user can meet. `title` names it, `help` says what to do next. `docs/errors.md` is made
 * from this table. Areas: S scheduling, D data, C change data, P plugin, A API and start.
 */
export const ERRORS = {
  'MR-S101': {
    title: 'The workflow has a cycle',
    retry: 'never',
    help: 'Remove one of the edges of the path that is named.',
  },
  'MR-S102': {
    title: 'Unknown node type',
    retry: 'never',
    help: 'Choose one of the listed types, or install the plugin that has it.',
  },
  'MR-S103': {
    title: 'The configuration of a node is not valid',
    retry: 'never',
    help: 'Correct the fields that are listed.',
  },
  'MR-S104': {
    title: 'A data source is missing',
    retry: 'never',
    help: 'Create the data source under that name, or choose another one in the node.',
  },
  'MR-S105': {
    title: 'The schedule is not valid',
    retry: 'never',
    help: 'Correct what is named. Cron has five fields: minute hour day month weekday; `period` says the same in words; zones are named as Asia/Shanghai.',
  },
  'MR-S106': {
    title: 'A parameter expression is not valid',
    retry: 'never',
    help: 'Use ${yyyymmdd-N} for business dates and $[yyyymmddhh24miss-N/24] for scheduled times.',
  },
  'MR-S107': {
    title: 'The code uses a parameter that is not declared',
    retry: 'never',
    help: 'Declare the parameter on the node or on the workflow.',
  },
  'MR-S108': {
    title: 'An edge names a node that does not exist',
    retry: 'never',
    help: 'Correct the name under `needs`, or add the node.',
  },
  'MR-S109': {
    title: 'A parameter value is not allowed',
    retry: 'never',
    help: 'Send a value that fits the pattern that is named, or declare another pattern.',
  },
  'MR-S110': {
    title: 'The business date is not over yet',
    retry: 'never',
    help: 'Choose a business date before today, or send `allowFuture: true` to run it all the same.',
  },
  'MR-S111': {
    title: 'The workflow has no parameter of this name',
    retry: 'never',
    help: 'Send one of the names that are declared, or declare the parameter and submit.',
  },
  'MR-S112': {
    title: 'The period or the effective days of a schedule are not valid',
    retry: 'never',
    help: 'Correct what is named; `schedule/preview` shows when a schedule runs before it is submitted.',
  },
  'MR-S113': {
    title: 'A business calendar is missing',
    retry: 'never',
    help: 'Create the calendar under that name, or choose another one in the schedule.',
  },
  'MR-S120': {
    title: 'A dependency names a workflow that is not there',
    retry: 'never',
    help: 'Correct the name under `needs`: a workflow of the same workspace that was submitted.',
  },
  'MR-S121': {
    title: 'A dependency names a node that its workflow does not have',
    retry: 'never',
    help: 'Correct the name under `needs`, or submit the other workflow with that node first.',
  },
  'MR-S122': {
    title: 'Workflows wait for each other in a circle',
    retry: 'never',
    help: 'Remove one of the dependencies of the path that is named, or let it wait for the previous cycle.',
  },
  'MR-S123': {
    title: 'Other workflows need a node that the draft does not have',
    retry: 'never',
    help: 'Keep the node, or take it out of the `needs` of the workflows that are named and submit those first.',
  },
  'MR-S124': {
    title: 'Instances wait for each other in a circle',
    retry: 'never',
    help: 'Remove one of the dependencies of the path that is named, or change a schedule on it.',
  },
  'MR-S130': {
    title: 'The business dates of the backfill are not valid',
    retry: 'never',
    help: 'Send one to seven ranges, each with its first date not after its last, or a list of dates.',
  },
  'MR-S131': {
    title: 'What the plan of the backfill saw has changed',
    retry: 'never',
    help: 'Ask for the plan again, look at what is named, and send the new plan token.',
  },
  'MR-S132': {
    title: 'The backfill would run nothing',
    retry: 'never',
    help: 'Choose other business dates, nodes or hours, or send `only: all`.',
  },
  'MR-S133': {
    title: 'The backfill cannot do this in its present state',
    retry: 'never',
    help: 'Reload it and look at its state.',
  },
  'MR-S134': {
    title: 'The backfill has no such business date',
    retry: 'never',
    help: 'Send dates that it has and that are not over.',
  },
  'MR-S135': {
    title: 'The backfill is too large',
    retry: 'never',
    help: 'Split it into backfills of fewer business dates, nodes or hours.',
  },
  'MR-S140': {
    title: 'The instance does not wait for this upstream',
    retry: 'never',
    help: 'Look at its upstreams and name one of them.',
  },
  'MR-S141': {
    title: 'Too much lies downstream to rerun it at once',
    retry: 'never',
    help: 'Rerun fewer instances at once, or begin further downstream.',
  },
  'MR-S142': {
    title: 'The resource group does not exist',
    retry: 'never',
    help: 'Send the name of one that is listed.',
  },
  'MR-S160': {
    title: 'A gate stands there already',
    retry: 'never',
    help: 'Change the capacity of the one that is there.',
  },
  'MR-S161': {
    title: 'What the gate is for does not exist',
    retry: 'never',
    help: 'Name a node, a workflow or a data source of this workspace; nodes are there after the submit.',
  },
  'MR-S162': {
    title: 'The node type does not exist',
    retry: 'never',
    help: 'Name one of the types that `GET /api/v1/plugins` lists, or sync.',
  },
  'MR-S170': {
    title: 'A sealed plan is not what it was',
    retry: 'never',
    help: 'Somebody has changed planned rows past Millrace, or this is a fault of it: compare the plan with its workflow versions, keep the logs and report it.',
  },
  'MR-S171': {
    title: 'There is no plan that this version could be patched into',
    retry: 'never',
    help: 'Leave it to the generator: the version is planned from the business date that its submit names.',
  },
  'MR-S172': {
    title: 'Something that the patch would change has begun',
    retry: 'never',
    help: 'Leave the plan as it is and rerun or backfill with the new version, or submit it with `plan: immediately`, which leaves alone what has begun.',
  },
  'MR-S173': {
    title: 'The plan is not what its preview saw',
    retry: 'never',
    help: 'Preview the patch again, look at what is named, and send the new plan token.',
  },
  'MR-S174': {
    title: 'Instances would start without an upstream that they need',
    retry: 'never',
    help: 'Submit the upstream with `plan: immediately` first, leave this one to the next day, or send `allowIsolated: true` to start them without it.',
  },
  'MR-S180': {
    title: 'No such output is declared',
    retry: 'never',
    help: 'Name an output that the upstream declares under `outputs`, or declare it there first.',
  },
  'MR-S181': {
    title: 'The output of an upstream is missing',
    retry: 'never',
    help: 'Rerun the upstream so that it produces the output, then this instance; or give the input a `default`.',
  },
  'MR-S182': {
    title: 'An output cannot be kept',
    retry: 'never',
    help: 'Produce less: an output is a text of at most 64 KB, all of a run together 256 KB. Larger results belong in a table.',
  },
  'MR-S183': {
    title: 'The inputs or outputs of a node are not valid',
    retry: 'never',
    help: 'Correct what is named; docs/parameters.md says what inputs and outputs can be.',
  },
  'MR-S184': {
    title: 'Other workflows take an output that the draft does not declare',
    retry: 'never',
    help: 'Keep the output, or take it out of the `inputs` of the workflows that are named and submit those first.',
  },
  'MR-S190': {
    title: 'A business date of the backfill could not be made',
    retry: 'never',
    help: 'Read what the database says, mend it, and resume the backfill: it goes on with this date.',
  },
  'MR-S191': {
    title: 'What the backfill was accepted with has changed before all of it was made',
    retry: 'never',
    help: 'Change back what is named and resume the backfill; or cancel it and start another one for the dates that are left.',
  },
  'MR-S192': {
    title: 'A business date of the backfill has no instances yet',
    retry: 'backoff',
    help: 'Wait until `made` of the backfill has come to it, or cancel the backfill.',
  },
  'MR-S195': {
    title: 'The resource group cannot schedule the node',
    retry: 'never',
    help: 'Give the group slots for it (`millrace groups set NAME --scheduling-slots N`), or take `schedulingGroup` out of the node.',
  },
  'MR-S196': {
    title: 'The nodes that were asked for forbid backfills',
    retry: 'never',
    help: 'Ask for other nodes too, or submit the workflow with `backfill: allowed` for those that are named.',
  },
  'MR-S197': {
    title: 'An edge of the backfill leads to a business date that is opened later',
    retry: 'never',
    help: 'Run it oldest first (`order: asc`). Where it is the later date even so, because the zones of the two workflows differ, run the upstream in a backfill of its own first.',
  },
  'MR-S201': {
    title: 'Its worker died three times',
    retry: 'never',
    help: 'Look at what the node does to its worker (memory, crashes); rerun it when that is mended.',
  },
  'MR-S202': {
    title: 'The attempt ran longer than its time limit',
    retry: 'never',
    help: 'Make the node faster or raise its time limit, then rerun.',
  },
  'MR-S203': {
    title: 'Stopped by a user',
    retry: 'never',
    help: 'Rerun it when it may run again.',
  },
  'MR-S204': {
    title: 'The lease was lost',
    retry: 'backoff',
    help: 'Nothing to do: another worker takes it. If it repeats, look at the load of the worker.',
  },
  'MR-S205': {
    title: 'The instance cannot do this in its present state',
    retry: 'never',
    help: 'Reload it and look at its state.',
  },
  'MR-S207': {
    title: 'The day of the instance was removed',
    retry: 'never',
    help: 'Instances are kept for MILLRACE_KEEP_INSTANCES_DAYS days. A backfill of the business date makes new ones.',
  },
  'MR-S208': {
    title: 'The day of the instance is being removed',
    retry: 'backoff',
    help: 'Try again in a minute. If that does not help, `millrace doctor` names the session that is waited for.',
  },
  'MR-S209': {
    title: 'The run log was removed',
    retry: 'never',
    help: 'Run logs are kept for MILLRACE_KEEP_LOGS_DAYS days. What a rerun writes is a log of its own.',
  },
  'MR-S210': {
    title: 'Not every output could be checked at its source',
    retry: 'never',
    help: 'Look at what is named. Mend it and try again; or plan the backfill and start it with the token of that plan, which leaves out what could not be checked; or leave the check at the source out.',
  },
  'MR-S211': {
    title: 'There are too many partitions to be looked for at their sources',
    retry: 'never',
    help: 'Split the backfill into ones of fewer business dates or nodes, or leave the check at the source out.',
  },
  'MR-S150': {
    title: 'What must always hold in the store does not',
    retry: 'never',
    help: 'This is a fault of Millrace: keep the logs and report it. Stopping and rerunning what is named gets it going again.',
  },
  'MR-D101': {
    title: 'The host name is unknown',
    retry: 'backoff',
    help: 'Check the host of the data source; the name must resolve on the machine of the worker.',
  },
  'MR-D102': {
    title: 'The server does not answer',
    retry: 'backoff',
    help: "Check host and port, that the server runs, and that its allow-list has the worker's addresses.",
  },
  'MR-D103': {
    title: 'No secure connection could be made',
    retry: 'never',
    help: 'Check the TLS setting and the CA certificate of the data source.',
  },
  'MR-D104': {
    title: 'The login was refused',
    retry: 'never',
    help: 'Check user name and password of the data source.',
  },
  'MR-D105': {
    title: 'The database does not exist',
    retry: 'never',
    help: 'Check the database name of the data source.',
  },
  'MR-D106': {
    title: 'A privilege is missing',
    retry: 'never',
    help: 'Ask the administrator of that server for the privilege that is named.',
  },
  'MR-D107': {
    title: 'The table does not exist',
    retry: 'never',
    help: 'Check the spelling; a similar name is offered where there is one. A sync creates the table of its target with `createTable: auto`.',
  },
  'MR-D108': {
    title: 'The column does not exist',
    retry: 'never',
    help: 'Check the field mapping against the table.',
  },
  'MR-D109': {
    title: 'The connection was lost',
    retry: 'backoff',
    help: 'It is tried again; look at the server and the network if it repeats.',
  },
  'MR-D110': {
    title: 'The node does not have this data source',
    retry: 'never',
    help: 'Name the data source in the configuration of the node.',
  },
  'MR-D111': {
    title: 'The connection string cannot be read',
    retry: 'never',
    help: 'Write it as jdbc:mysql://host:port/database or jdbc:postgresql://host:port/database.',
  },
  'MR-D190': {
    title: 'The write mode needs a unique key of the target',
    retry: 'never',
    help: 'Name in `key` the columns of one of its unique keys and map each of them, or give the table one.',
  },
  'MR-D191': {
    title: 'What arrived is not what was written',
    retry: 'backoff',
    help: 'Nothing was published. Look for others who write to the target, for triggers, and for rows outside of the partition that the run replaces; a source that is read without a snapshot may have changed.',
  },
  'MR-D192': {
    title: 'The table cannot be swapped',
    retry: 'never',
    help: 'Take the foreign keys that refer to the table away, or use upsert or truncate.',
  },
  'MR-D193': {
    title: 'A later run has written versions of this row',
    retry: 'never',
    help: 'scd2 tells a history in the order of its runs: rerun from the earliest run on, or take the later versions of the key away.',
  },
  'MR-D194': {
    title: 'Data sources of this type have no check at the source',
    retry: 'never',
    help: 'Leave the check at the source out, or ask for nodes whose outputs are elsewhere. A plugin author adds `presentPartitions` to the data source.',
  },
  'MR-D195': {
    title: 'The partition of an output cannot be looked for',
    retry: 'never',
    help: 'Declare it under `outputs` as column=value, several joined by "/" or ","; leave it empty for the whole table.',
  },
  'MR-D201': {
    title: 'More dirty records than allowed',
    retry: 'never',
    help: 'Look at the dirty records, mend the rows or the mapping, or raise the dirty record limit.',
  },
  'MR-D202': {
    title: 'The value does not fit the column unchanged',
    retry: 'never',
    help: 'Widen the column or convert the value in the mapping.',
  },
  'MR-D203': {
    title: 'A newer attempt owns this run',
    retry: 'never',
    help: 'Nothing to do: this attempt had lost its lease and was kept from writing.',
  },
  'MR-D204': {
    title: 'The server refused a statement',
    retry: 'never',
    help: 'Read the message of the server and correct the statement.',
  },
  'MR-D205': {
    title: 'The ledger table cannot be used',
    retry: 'never',
    help: 'Let a database administrator create it with the statement that is shown.',
  },
  'MR-D206': {
    title: 'The file or folder does not exist',
    retry: 'never',
    help: 'Check the path; it is looked for on the machine of the worker.',
  },
  'MR-D207': {
    title: 'The file cannot be read as that format',
    retry: 'never',
    help: 'Check format, encoding and separator at the line that is named.',
  },
  'MR-D208': {
    title: 'The field mapping does not fit the tables',
    retry: 'never',
    help: 'Correct the mapping of the columns that are listed.',
  },
  'MR-D209': {
    title: 'The write mode is not possible here',
    retry: 'never',
    help: 'Choose one of the modes that are listed for this target.',
  },
  'MR-D210': {
    title: 'The server ended a statement in favour of another session',
    retry: 'backoff',
    help: 'It is tried again; if it repeats, look at what else locks the same tables.',
  },
  'MR-D215': {
    title: 'The job file is not JSON',
    retry: 'never',
    help: 'Correct the file at the line that is named; comments and commas at the end are allowed.',
  },
  'MR-D216': {
    title: 'The job file cannot be read',
    retry: 'never',
    help: 'Correct the field that is named by its path, line and column.',
  },
  'MR-D217': {
    title: 'The value cannot be converted',
    retry: 'never',
    help: 'Correct the value, or the function of its column in the field mapping.',
  },
  'MR-D218': {
    title: 'The transform is not right',
    retry: 'never',
    help: 'Correct the TypeScript of the field mapping; it exports a function of one row.',
  },
  'MR-D219': {
    title: 'The incremental read is not possible',
    retry: 'backoff',
    help: 'Correct the cursor or the write mode; a run that was overtaken by another is tried again.',
  },
  'MR-D220': {
    title: 'The rows do not add up',
    retry: 'never',
    help: 'Rows read differ from rows written plus dirty ones; nothing was published. Report it with the run log.',
  },
  'MR-D221': {
    title: 'The quarantined rows cannot be replayed',
    retry: 'never',
    help: 'Mend the rows that are named, or rerun the node when its mapping has changed.',
  },
  'MR-D222': {
    title: 'The table could not be created',
    retry: 'never',
    help: 'Correct the statement of `createTable`, or put the one that a preview shows into it and edit that.',
  },
  'MR-D227': {
    title: 'The stored slices do not fit the source any more',
    retry: 'never',
    help: 'The key of the source was changed while the run was retried. Rerun the node: a new run cuts the source anew.',
  },
  'MR-D228': {
    title: 'The server has no space left',
    retry: 'backoff',
    help: 'Free space on the disk of the server, or give the tablespace of the target more; then it is tried again or rerun.',
  },
  'MR-D229': {
    title: 'No row has moved for too long',
    retry: 'backoff',
    help: 'Look at the network between worker and server, and at what the server waits for; raise `stallMinutes` of the channel for a source that is that slow.',
  },
  'MR-D240': {
    title: 'A line that is no row',
    retry: 'never',
    help: 'Mend the line in the source, or its cells in the quarantine. Is a quote left open, or the separator another?',
  },
  'MR-D241': {
    title: 'Bytes that are not of the encoding',
    retry: 'never',
    help: 'Check the encoding of the source; mend the line, or its cells in the quarantine.',
  },
  'MR-D242': {
    title: 'A value that has no form in the file',
    retry: 'never',
    help: 'Choose an encoding that has all characters, as utf-8 or gb18030, and quotes around cells.',
  },
  'MR-D243': {
    title: 'The partition does not exist',
    retry: 'never',
    help: 'Make the partition with the statement that is named, for example in an SQL node before the sync, and run it again.',
  },
  'MR-D244': {
    title: 'A file of that name is there already',
    retry: 'never',
    help: 'Give the file another name, for example with ${bizdate} in it, move the one that is there, or choose the write mode truncate or append.',
  },
  'MR-D250': {
    title: 'Text of the source is not in the encoding of its database',
    retry: 'never',
    help: 'Mend the rows, or read the column as bytes: convert_to(column, …) in a query, into a column of bytes.',
  },
  'MR-D251': {
    title: 'The row is too large to be held in memory',
    retry: 'never',
    help: 'Leave its large column out, or raise maxRowBytes in the channel control: each channel may need several times as much memory.',
  },
  'MR-D260': {
    title: 'The snapshot of the source is too old',
    retry: 'never',
    help: 'A long snapshot keeps the source from cleaning up. Use more channels, a filter or a wider rate limit, or raise `snapshotMinutes` of the channel.',
  },
  'MR-D261': {
    title: 'The tables of the source do not fit together',
    retry: 'never',
    help: 'All tables that are read into one target need the same columns of the same types. Correct the names, or read those that differ by a node of their own.',
  },
  'MR-D262': {
    title: 'The split key cannot be used',
    retry: 'never',
    help: 'Choose columns that the source can put in order, best those of an index, or leave the split key away.',
  },
  'MR-D270': {
    title: 'Only a sync has channel control',
    retry: 'never',
    help: 'Choose an instance of a sync node.',
  },
  'MR-P101': {
    title: 'The plugin is not valid',
    retry: 'never',
    help: 'The author of the plugin must correct the field that is named.',
  },
  'MR-P102': {
    title: 'The plugin was written for another version of the sdk',
    retry: 'never',
    help: 'Install a version of the plugin whose sdk range includes the one that is named.',
  },
  'MR-P103': {
    title: 'The process of the attempt died',
    retry: 'backoff',
    help: 'Read the end of the run log; a native crash or a kill from outside ended it.',
  },
  'MR-P104': {
    title: 'The attempt used more memory than it may',
    retry: 'never',
    help: 'Make the node use less memory, or raise the memory limit.',
  },
  'MR-P105': {
    title: 'The plugin failed with an error of its own',
    retry: 'backoff',
    help: 'Read the message and the run log.',
  },
  'MR-P106': {
    title: 'The command ended with an error',
    retry: 'backoff',
    help: 'Read the run log: the last lines of the command usually say why.',
  },
  'MR-P107': {
    title: 'The plugin cannot be loaded',
    retry: 'never',
    help: 'Check that the package is installed where the worker runs and is listed in the configuration.',
  },
  'MR-A101': {
    title: 'The request is not valid',
    retry: 'never',
    help: 'Correct the fields that are listed.',
  },
  'MR-A102': {
    title: 'You are not signed in',
    retry: 'never',
    help: 'Sign in, or send a token: Authorization: Bearer mr_…',
  },
  'MR-A103': {
    title: 'Your role may not do this',
    retry: 'never',
    help: 'Ask an administrator of the workspace.',
  },
  'MR-A104': { title: 'Not found', retry: 'never', help: 'Check the id or the name.' },
  'MR-A105': {
    title: 'It conflicts with what is there',
    retry: 'never',
    help: 'Reload, look at the difference, and try again.',
  },
  'MR-A106': {
    title: 'It was changed by somebody else',
    retry: 'never',
    help: 'Load it again; your change was not saved.',
  },
  'MR-A107': {
    title: 'The request needs a precondition',
    retry: 'never',
    help: 'Send the header that is named.',
  },
  'MR-A108': {
    title: 'Nobody answered in time',
    retry: 'backoff',
    help: 'No worker of the resource group took the request: check that one is running.',
  },
  'MR-A109': {
    title: 'An error inside Millrace',
    retry: 'backoff',
    help: 'Read the log of the api process with the trace id.',
  },
  'MR-A110': {
    title: 'A failed connectivity test must be confirmed',
    retry: 'never',
    help: 'Mend the data source, or save it all the same with `confirmFailedTest`.',
  },
  'MR-A111': {
    title: 'The idempotency key was used for another request',
    retry: 'never',
    help: 'Send a new Idempotency-Key with each different request.',
  },
  'MR-A112': {
    title: 'The same request is still being worked on',
    retry: 'backoff',
    help: 'Wait for the answer of the first one, or look at what it started.',
  },
  'MR-A113': {
    title: 'The search took too long',
    retry: 'never',
    help: 'Search for plain text, or for an expression without repetitions within repetitions.',
  },
  'MR-A120': {
    title: 'The address of the webhook is not allowed',
    retry: 'never',
    help: 'Name a receiver on another machine, or let the administrator allow local ones with MILLRACE_WEBHOOK_LOCAL.',
  },
  'MR-A121': {
    title: 'The webhook did not take the message',
    retry: 'backoff',
    help: 'Look at the receiver: it must answer a POST of JSON with 2xx within 10 seconds, without a redirect.',
  },
  'MR-A122': {
    title: 'E-mail is not set up',
    retry: 'never',
    help: 'Set MILLRACE_SMTP_HOST and MILLRACE_SMTP_FROM for the roles api and scheduler.',
  },
  'MR-A123': {
    title: 'The mail server did not take the message',
    retry: 'backoff',
    help: 'Read the words of the server; check MILLRACE_SMTP_HOST, MILLRACE_SMTP_PORT, MILLRACE_SMTP_SECURITY and the login.',
  },
  'MR-A201': {
    title: 'The port is taken',
    retry: 'never',
    help: 'Stop the other program, or set MILLRACE_PORT to a free port.',
  },
  'MR-A202': {
    title: 'The folder cannot be written',
    retry: 'never',
    help: 'Give the user that runs Millrace the right to write there, or clone to another folder.',
  },
  'MR-A203': {
    title: 'The secret key is not the one of this database',
    retry: 'never',
    help: 'Set MILLRACE_SECRET_KEY to the key this database was made with, or restore the keyring.',
  },
  'MR-A204': {
    title: 'The database folder is incomplete',
    retry: 'never',
    help: 'Its first start was interrupted. Remove the folder that is named and start again.',
  },
  'MR-A205': {
    title: 'Millrace already runs in this folder',
    retry: 'never',
    help: 'Use the one that runs, or stop it first.',
  },
  'MR-A206': {
    title: 'The configuration is not valid',
    retry: 'never',
    help: 'Correct the settings that are listed.',
  },
  'MR-A207': {
    title: 'The database cannot be reached',
    retry: 'backoff',
    help: 'Check MILLRACE_DATABASE_URL and that PostgreSQL runs.',
  },
  'MR-A208': {
    title: 'The database is of another version',
    retry: 'never',
    help: 'Run `millrace migrate`, or start the version of Millrace that fits the database.',
  },
  'MR-A209': {
    title: 'The database folder was made by another PostgreSQL version',
    retry: 'never',
    help: 'Dump it with the version that made it, remove the folder, start again and restore the dump.',
  },
  'MR-A210': {
    title: 'A private database server did not start',
    retry: 'never',
    help: 'Read the end of its log; free the port or the disk that it names and start again.',
  },
  'MR-A211': {
    title: 'A process of Millrace did not start',
    retry: 'never',
    help: 'Read the end of its log; `millrace doctor` checks what it needs.',
  },
  'MR-A212': {
    title: 'The worker does not trust the certificate of the API',
    retry: 'backoff',
    help: 'Start the worker with NODE_EXTRA_CA_CERTS=FILE, the certificate of your authority in PEM, and call the API in MILLRACE_LINK_URL by a name that its certificate has; renew one that is over.',
  },
} as const satisfies Record<string, ErrorSpec>;

export type RegisteredCode = keyof typeof ERRORS;

export function isRegisteredCode(code: unknown): code is RegisteredCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}
