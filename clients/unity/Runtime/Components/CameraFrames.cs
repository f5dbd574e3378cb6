using System.Collections;
using UnityEngine;
#if UNITY_ANDROID
using UnityEngine.Android;
#endif

namespace Mfn.Unity
{
    /// <summary>Sends the pictures of a camera to a FaceStream, each one as a JPEG when the stream has room for
    /// it.</summary>
    [AddComponentMenu("MFN/Camera Frames")]
    [RequireComponent(typeof(FaceStream))]
    public sealed class CameraFrames : MonoBehaviour
    {
        private const int NotYet = 16; // pixels a side: what WebCamTexture says it has before its first picture

        [SerializeField, Tooltip("A name of WebCamTexture.devices; the first one where it is empty.")]
        private string cameraName = "";

        [SerializeField, Tooltip("Pixels that the camera is asked for.")]
        private int width = 640;

        [SerializeField, Tooltip("Pixels that the camera is asked for.")]
        private int height = 480;

        [SerializeField, Tooltip("Pictures a second that the camera is asked for.")]
        private int framesPerSecond = 30;

        [SerializeField, Range(1, 100), Tooltip("Of the JPEGs.")]
        private int quality = 85;

        private FaceStream stream;
        private WebCamTexture webcam;
        private Texture2D frame; // what is encoded, upside up
        private Color32[] pixels;

        /// <summary>The camera, to be shown, too; null where there is none.</summary>
        public WebCamTexture Webcam => webcam;

        private void OnEnable()
        {
            stream = GetComponent<FaceStream>();
            StartCoroutine(Begin());
        }

        private void OnDisable()
        {
            StopAllCoroutines();
            if (webcam != null)
            {
                webcam.Stop();
                Destroy(webcam);
            }
            if (frame != null) Destroy(frame);
            webcam = null;
            frame = null;
        }

        private void Update()
        {
            if (webcam == null || !webcam.didUpdateThisFrame || webcam.width <= NotYet || !stream.Ready) return;
            stream.Rotate(webcam.videoRotationAngle);
            stream.Send(Encoded());
        }

        /// <summary>Starts the camera when the user has allowed it.</summary>
        private IEnumerator Begin()
        {
#if UNITY_ANDROID
            if (!Permission.HasUserAuthorizedPermission(Permission.Camera))
            {
                Permission.RequestUserPermission(Permission.Camera);
                yield return new WaitUntil(() => Permission.HasUserAuthorizedPermission(Permission.Camera));
            }
#else
            yield return Application.RequestUserAuthorization(UserAuthorization.WebCam);
            if (!Application.HasUserAuthorization(UserAuthorization.WebCam))
            {
                Debug.LogWarning("The camera may not be used: allow it in the system's settings.", this);
                yield break;
            }
#endif
            if (WebCamTexture.devices.Length == 0)
            {
                Debug.LogWarning("There is no camera. Plug one in, and enable this component again.", this);
                yield break;
            }
            var device = cameraName == "" ? WebCamTexture.devices[0].name : cameraName;
            webcam = new WebCamTexture(device, width, height, framesPerSecond);
            webcam.Play();
        }

        /// <summary>The camera's picture as a JPEG file.</summary>
        private byte[] Encoded()
        {
            if (frame == null || frame.width != webcam.width || frame.height != webcam.height)
            {
                if (frame != null) Destroy(frame);
                frame = new Texture2D(webcam.width, webcam.height, TextureFormat.RGBA32, false);
                pixels = new Color32[webcam.width * webcam.height];
            }
            webcam.GetPixels32(pixels);
            if (webcam.videoVerticallyMirrored) PixelRows.Flip(pixels, webcam.width);
            frame.SetPixels32(pixels);
            return frame.EncodeToJPG(quality); // takes what SetPixels32 wrote; the graphics card needs no copy
        }
    }
}
