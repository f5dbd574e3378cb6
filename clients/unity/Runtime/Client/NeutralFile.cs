using System;
using System.Collections.Generic;

namespace Mfn
{
    /// <summary>The file of a resting face, as `mfn capture` writes it: person-1.neutral.json.</summary>
    public static class NeutralFile
    {
        /// <summary>The weights in a file's text, by names of the service's model, for StreamOptions.Neutral. Throws
        /// FormatException for any other text; whether it has the model's names, the service says.</summary>
        public static IReadOnlyDictionary<string, float> Read(string text)
        {
            var json = new JsonReader(text);
            IReadOnlyDictionary<string, float> weights = null;
            json.BeginObject();
            while (json.NextMember(out var name))
            {
                if (name == "neutral") weights = ServiceMessage.ReadWeights(json);
                else json.Skip();
            }
            json.End();
            return weights ?? throw new FormatException("The JSON has no resting face: no \"neutral\".");
        }
    }
}
