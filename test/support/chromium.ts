/** Debian's browser; the test setup installs it where it may. */
export const CHROMIUM = '/usr/bin/chromium';
