#!/bin/sh
# The pictures and words that the picture models learn from, fetched in exact versions; picture_data.py checks the hashes.
# usage: recipes/picture_data.sh FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/archives"
cd "$1/archives"
for package in @iconify-json/noto@1.2.9 @iconify-json/fluent-emoji-flat@1.2.6 @iconify-json/noto-v1@1.2.5 \
    @iconify-json/fluent-emoji@1.2.7 @twemoji/svg@15.0.0 emojibase-data@17.0.0; do
    npm pack --silent "$package"
done
cd "$OLDPWD"
python "$here/picture_data.py" "$1/archives" "$1"
