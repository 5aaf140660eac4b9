import { gzipSync } from 'node:zlib';

import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const API = process.env['MILLRACE_URL'] ?? 'http://127.0.0.1:7070';
const COMPRESSED = /\.(js|css|html|svg|json)$/;

/** Writes a `.gz` beside each text file: the api hands these out and never compresses by itself. */
function gzipped(): Plugin {
  return {
    name: 'millrace:gzip',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        for (const file of Object.values(bundle)) {
          if (!COMPRESSED.test(file.fileName)) continue;
          const content = file.type === 'chunk' ? file.code : file.source;
          this.emitFile({
            type: 'asset',
            fileName: `${file.fileName}.gz`,
            source: gzipSync(content, { level: 9 }),
          });
        }
      },
    },
  };
}

export default defineConfig({
  plugins: [react(), gzipped()],
  build: {
    target: 'es2023',
    sourcemap: false,
    // Names the entry and the chunks it needs, for the size gate of the tests.
    manifest: true,
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      '/api': API,
      '/login': API,
      '/rt': { target: API, ws: true },
      '/socket.io': { target: API, ws: true },
    },
  },
});
