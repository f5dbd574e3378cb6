using System;
using System.Collections.Generic;
using UnityEngine;

namespace Mfn.Unity
{
    /// <summary>A stream to the service, open while this component is enabled: frames in, faces out.</summary>
    [AddComponentMenu("MFN/Face Stream")]
    [DisallowMultipleComponent]
    public sealed class FaceStream : MonoBehaviour
    {
        [Header("Service")]
        [SerializeField, Tooltip("Address of the service, as http://localhost:8000.")]
        private string address = "http://localhost:8000";

        [SerializeField, Tooltip("An API key, where the service asks for one.")]
        private string apiKey = "";

        [Header("Faces")]
        [SerializeField, Range(1, 100), Tooltip("Most faces that are looked for.")]
        private int maxFaces = 4;

        [SerializeField, Tooltip("A second look at each face: livelier expressions, and where the eyes look.")]
        private bool refine = true;

        [SerializeField, Tooltip("Search for faces now and then, and follow them in between: faster.")]
        private bool follow = true;

        [SerializeField, Tooltip("Smooth box, pose and coefficients.")]
        private bool smooth = true;

        [SerializeField, Tooltip("Everybody's resting face: a file of mfn capture, as person-1.neutral.json.")]
        private TextAsset neutral;

        private const float StaleSeconds = 1; // after which an answer tells nothing of the moment

        private RetargetStream stream;
        private LeadingFaces leading;
        private float answeredAt; // on Time.unscaledTime's clock

        /// <summary>A frame was answered; on the main thread.</summary>
        public event Action<FrameAnswer> Answered;

        /// <summary>The latest answer; null before the first.</summary>
        public FrameAnswer Latest { get; private set; }

        /// <summary>Whether Send would take a frame now. Ask before you encode one.</summary>
        public bool Ready => stream != null && stream.Ready;

        /// <summary>The face that a character follows, from 0; null while nobody is seen for it. A character keeps its
        /// person as long as that is there, and no two have the same one.</summary>
        public Face FaceOf(int character)
        {
            var face = leading?[character];
            return Time.unscaledTime - answeredAt > StaleSeconds ? null : face;
        }

        /// <summary>The address takes effect when the component is enabled the next time.</summary>
        public string Address
        {
            get => address;
            set => address = value;
        }

        /// <summary>Everybody's resting face until one is taken; none: expressions are as seen. It takes effect when the
        /// component is enabled the next time.</summary>
        public TextAsset Neutral
        {
            get => neutral;
            set => neutral = value;
        }

        /// <summary>Sends a frame, the bytes of a JPEG, PNG, WebP or AVIF file. It is dropped where the stream is not
        /// ready.</summary>
        public async void Send(byte[] picture)
        {
            var sending = stream;
            if (sending == null) return;
            try
            {
                var answer = await sending.SendAsync(picture);
                if (answer == null || stream != sending) return; // dropped, or disabled in the meantime
                Latest = answer;
                answeredAt = Time.unscaledTime;
                leading.Take(answer);
                Answered?.Invoke(answer);
            }
            catch (ProblemException problem)
            {
                if (stream == sending && sending.State != StreamState.Closed) Debug.LogWarning(problem.Message, this);
            }
            catch (ConnectionException)
            {
                // Failed tells
            }
            catch (ObjectDisposedException)
            {
                // disabled in the meantime
            }
        }

        /// <summary>Takes the next second as each person's resting face, which is subtracted from then on.</summary>
        [ContextMenu("Take neutral faces")]
        public void TakeNeutral() => stream?.Calibrate(Calibration.TakeNeutral);

        /// <summary>Forgets the resting faces.</summary>
        [ContextMenu("Forget neutral faces")]
        public void ResetNeutral() => stream?.Calibrate(Calibration.Reset);

        /// <summary>Says by how many degrees the next frames have to be turned clockwise to be upright.</summary>
        public void Rotate(int degrees) => stream?.Rotate(degrees);

        private void OnEnable()
        {
            leading = new LeadingFaces();
            stream = new RetargetStream(new StreamOptions
            {
                Address = address,
                ApiKey = apiKey,
                MaxFaces = maxFaces,
                Refine = refine,
                Follow = follow,
                Smoothing = smooth ? new Smoothing() : null,
                Neutral = SavedNeutral(),
                Blendshapes = true,
                ExcludeIdentity = true,
            });
            stream.Failed += Warn;
            stream.Open();
        }

        private void OnDisable()
        {
            if (stream == null) return;
            stream.Failed -= Warn;
            stream.Dispose();
            stream = null;
            leading = null;
            Latest = null;
        }

        private IReadOnlyDictionary<string, float> SavedNeutral()
        {
            if (neutral == null) return null;
            try
            {
                return NeutralFile.Read(neutral.text);
            }
            catch (FormatException error)
            {
                Debug.LogWarning(
                    $"{neutral.name} holds no resting face: {error.Message} Give a file that mfn capture has written, as " +
                    "person-1.neutral.json.", this);
                return null;
            }
        }

        private void Warn(MfnException error) => Debug.LogWarning(error.Message, this);
    }
}
