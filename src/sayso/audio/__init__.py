"""Sound: formats, codecs, resampling, pacing. Inside Sayso sound is `Samples`."""
