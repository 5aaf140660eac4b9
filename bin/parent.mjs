import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const LOOK_MS = 1000;

/**
 * Sends this process SIGTERM when the npm that runs it is gone. npm passes on the signals of a terminal; one
 * that is sent to npm alone ends it, or its shell, and leaves what it has started.
 */
export function followNpm() {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const above = ancestors(process.ppid);
  const timer = setInterval(() => {
    const now = ancestors(process.ppid);
    if (above.every((pid, i) => now[i] === pid)) return;
    clearInterval(timer);
    process.stderr.write('npm is gone. ');
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_MS);
  timer.unref();
}

/** The parent and, where that is npm's shell, npm itself. */
function ancestors(pid) {
  const parent = nameOf(pid);
  return /^-?(sh|bash|dash|zsh|busybox)$/.test(parent) ? [pid, parentOf(pid)] : [pid];
}

function nameOf(pid) {
  return process.platform === 'linux'
    ? (statOf(pid)?.name ?? '')
    : ask(pid, 'comm=').replace(/^.*\//, '');
}

function parentOf(pid) {
  return process.platform === 'linux' ? statOf(pid)?.parent : Number(ask(pid, 'ppid='));
}

function statOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name may hold spaces and brackets; what follows the last bracket is fixed.
    const end = stat.lastIndexOf(')');
    return {
      name: stat.slice(stat.indexOf('(') + 1, end),
      parent: Number(stat.slice(end + 2).split(' ')[1]),
    };
  } catch {
    return undefined;
  }
}

function ask(pid, what) {
  try {
    return execFileSync('ps', ['-p', String(pid), '-o', what], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}
