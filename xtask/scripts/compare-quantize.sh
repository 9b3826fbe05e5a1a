#!/bin/sh
# Quantizes a model with llama.cpp's llama-quantize and with llama-rs, and compares the files byte for byte.
#
#   compare-quantize.sh LLAMA_QUANTIZE LLAMA_RS MODEL [IMATRIX] > table.md
#
# MODEL is a float model (make one with `llama-rs quantize --allow-requantize MODEL F32`). A line a mix: the outcome, and
# the CPU seconds (user and system) of both with two threads. Options for both go into the variable QUANTIZE_OPTIONS.
set -eu
reference=$1 ours=$2 model=$3 imatrix=${4:+--imatrix $4}
mixes=${MIXES:-F32 F16 BF16 Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 Q1_0 Q2_0 TQ1_0 TQ2_0 MXFP4_MOE Q6_K Q5_K_M Q5_K_S Q4_K_M
    Q4_K_S Q3_K_L Q3_K_M Q3_K_S Q2_K Q2_K_S IQ4_NL IQ4_XS IQ3_M IQ3_S IQ3_XS IQ3_XXS IQ2_M IQ2_S IQ2_XS IQ2_XXS
    IQ1_M IQ1_S}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The second line of `times` is of the children. It must not run in a subshell, which has none.
seconds='FNR == 2 { split($1, u, /[ms]/); split($2, s, /[ms]/); t[n++] = u[1] * 60 + u[2] + s[1] * 60 + s[2] }'

echo '| mix | files | llama-quantize, s | llama-rs, s | ratio |'
echo '|---|---|---:|---:|---:|'
for mix in $mixes; do
    rm -f "$folder"/*
    times > "$folder/0"
    # shellcheck disable=SC2086
    "$reference" ${QUANTIZE_OPTIONS:-} $imatrix "$model" "$folder/reference.gguf" "$mix" 2 > /dev/null 2>&1 || by_reference=refused
    times > "$folder/1"
    # shellcheck disable=SC2086
    "$ours" quantize ${QUANTIZE_OPTIONS:-} $imatrix "$model" "$folder/ours.gguf" "$mix" 2 > /dev/null 2>&1 || by_us=refused
    times > "$folder/2"
    if [ "${by_reference:-}" = refused ] || [ "${by_us:-}" = refused ]; then
        outcome="refused by ${by_reference:+llama-quantize }${by_us:+llama-rs}"
    elif cmp -s "$folder/reference.gguf" "$folder/ours.gguf"; then
        outcome=same
    else
        outcome=DIFFERENT
    fi
    unset by_reference by_us
    awk -v mix="$mix" -v outcome="$outcome" "$seconds"'
        END { r = t[1] - t[0]; o = t[2] - t[1]; ratio = o > 0 ? sprintf("%.2f", r / o) : ""
            printf "| %s | %s | %.2f | %.2f | %s |\n", mix, outcome, r, o, ratio }' "$folder/0" "$folder/1" "$folder/2"
done
