#!/bin/sh
# The codec comes up with its paths open nowhere: sets them once, and keeps them (alsactl store).
set -eu
card=execora
amixer -q -c "$card" sset 'Left Input Mixer Boost' on
amixer -q -c "$card" sset 'Right Input Mixer Boost' on
amixer -q -c "$card" sset 'Left Output Mixer PCM' on
amixer -q -c "$card" sset 'Right Output Mixer PCM' on
amixer -q -c "$card" sset 'Capture' 70% cap
amixer -q -c "$card" sset 'Speaker' 70%
alsactl store "$card"
