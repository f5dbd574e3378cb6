using Mfn;
using UnityEngine;

/// <summary>Logs the faces of a picture that the service sees: the client without a camera or a character.</summary>
public sealed class LogFaces : MonoBehaviour
{
    [SerializeField, Tooltip("Its import settings need Read/Write.")]
    private Texture2D picture;

    private async void Start()
    {
        var options = new StreamOptions { Address = "http://localhost:8000", Refine = true, Blendshapes = true };
        using (var stream = new RetargetStream(options))
        {
            stream.Failed += error => Debug.LogWarning(error.Message);
            stream.Open();
            try
            {
                await stream.WhenReadyAsync();
                var answer = await stream.SendAsync(picture.EncodeToJPG(90));
                if (answer == null) return; // the connection was lost on the way
                foreach (var face in answer.Faces)
                    Debug.Log($"yaw {face.Pose.Yaw:0} degrees, jawOpen {face.Blendshapes["jawOpen"]:0.00}");
            }
            catch (MfnException error)
            {
                Debug.LogError(error.Message);
            }
        }
    }
}
