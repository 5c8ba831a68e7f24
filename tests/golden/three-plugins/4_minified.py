import faulthandler,hashlib as H,io,numpy as I,os as r,signal,subprocess,sys as d,time as c,torch as e,torch.distributed as a,torch.nn.functional as u,traceback,zlib
from functools import partial as h
from pathlib import Path as t
from sentencepiece import SentencePieceProcessor
from torch import nn as J
from torch.nn.attention.flex_attention import create_block_mask,flex_attention
from typing import NamedTuple as o
def er(o,t):
 if not o.d:return t,
 a=range(o.shape[0]//len(o.d));return tuple(e.format(n)for e in o.d for n in a)
def y(r):
 d=[]
 for o in r:
  if o.d:
   a=range(o.shape[0]//len(o.d))
   for(e,l)in zip(o.d,o.init,strict=True):d+=[(e.format(n),l,o)for n in a]
  else:d+=[(t,o.init,o)for t in o.s()]
 return d
def eh(h,r,i):
 for o in r:
  w=i if o.dtype=='activation'else e.float32
  for t in o.s():
   *l,s=t.split('.');d=h
   for a in l:
    if a not in d._modules:d.add_module(a,J.ModuleList())
    d=d._modules[a]
   d.register_parameter(s,J.Parameter(e.empty(o.shape,dtype=w,device=n)))
def el(t):a=H.sha256(f"{T}:{t}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(a[:7],'little'))
def ed(r,h):
 i=b(w.state_dict(),r)
 for(t,l,c)in y(r):a=e.empty(i[t].shape);l(a,el(t),h);i[t].copy_(a)
def b(i,r):
 h=[]
 for o in r:
  for t in o.s():h+=i[t].unbind()if o.d else[i[t]]
 return{t:n for((t,c,c),n)in zip(y(r),h,strict=True)}
def ec(tensor,generator,ledger):tensor.zero_()
def v(tensor,generator,ledger):tensor.fill_(1.)
def eu(tensor,generator,ledger,value):tensor.fill_(value)
def em(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
def ef():
 a=r.environ.get;t=int(a('RANK',0));o=int(a('WORLD_SIZE',1));d=int(a('LOCAL_RANK',0))
 if o<1 or 8%o:raise ValueError(f"WORLD_SIZE is {o}, wanted a divisor of 8, the micro-batches of a step")
 return t,o,d
def ep():
 global n,oE,f,i;t,o,d=ef();r='gloo';l=e.device('cpu')
 if e.cuda.is_available():r='nccl';l=e.device('cuda',d);e.cuda.set_device(l)
 if o>1:a.init_process_group(r)
 f=t;i=o;oE=d;n=l
def eg():
 if i>1:a.destroy_process_group()
def ew(n):
 if i>1:a.all_reduce(n)
 return n
def ey(value):
 o=[value]*i
 if i>1:a.all_gather_object(o,value)
 return o
def eb(value):
 if i==1:return value
 o=e.tensor(value,dtype=e.float64,device=n);a.all_reduce(o,a.ReduceOp.MAX);return o.item()
def ev(n):
 if n.grad is None:n.grad=e.zeros_like(n)
 return n.grad
def ek(h):
 r=[ev(n)for n in h]
 if i>1:
  s=e.cat([t.flatten()for t in r]);a.all_reduce(s);o=(s/i).split([t.numel()for t in r])
  for(t,w)in zip(r,o,strict=True):t.copy_(w.view_as(t))
def ex(t,l):
 if i>1:return a.reduce_scatter(t,list(l.chunk(i)),async_op=True)
 t.copy_(l)
def ej(l,t):
 if i>1:return a.all_gather(list(l.chunk(i)),t,async_op=True)
 l.copy_(t)
def eq(n):
 if n is not None:n.wait()
def ez():
 e=''
 try:oh()
 except(OSError,ValueError)as o:e=f"{ee}: {o}"
 for(t,a)in enumerate(ey(e)):
  if a:raise ValueError(f"{a} (on rank {t})"if t else a)
def eA(a):
 if a is not None:s(f"prepared {ee}: {a}")
class Param(o):
 name:o;shape:o;group:o;j:o;init:o=None;r:o='';dtype:o='float32';layers:o=0;d:o=();reduction:o='replicated';A:o='';m:o=True;D:o=True;export:o='yes'
 def s(e):return[e.name.format(n)for n in range(e.layers)]or[e.name]
class Group(o):name:o;lr:o;weight_decay:o=.0
class Phase(o):name:o;start:o;z:o=True;r:o=''
class k:
 def __init__(e):e.done={}
 def count(e,plugin,unit,number=1):e.done[plugin,unit]=e.done.get((plugin,unit),0)+number
 def n(e,n,a):e.done[n,'']=a
 def q(e,n):return', '.join(f"{o} {a}".strip()for((t,a),o)in e.done.items()if t==n and o)
def eB(r,a,o):return(r/x(a)).round().clamp(-o,o).to(e.int8)
def x(a):return a[:,None]if a.ndim else a
def eC(l,a,i):return(l.float()*x(a).float()).to(i)
def eD(r,half):
 if r.ndim==2:a=(r.abs().amax(1)/31).clamp_min(1/31)
 else:a=r.abs().amax()/31;a=a if a>0 else a+1
 if half:a=a.half()
 return eB(r,a.float(),31),a
def eE(r):
 if r.ndim==2:o=e.quantile(r.abs(),.9999984,1);a=(o/127).clamp_min(1/127);t=a.half()
 else:o=e.quantile(r.abs().flatten(),.9999984);t=a=o/127 if o>0 else o+1
 o=x(o);return eB(r.clamp(-o,o),a,127),t
def eF(o,i):
 if'kept'in o:return o['kept'].to(i)
 return eC(o['codes'],o['step'],i)
def j(t,o):
 a=r.environ.get(t,o)
 try:return int(a)
 except ValueError:raise ValueError(f"{t} is {a!r}, wanted a whole number like {o!r}")from None
def eG():
 a=r.environ.get('MAX_WALLCLOCK_SECONDS',6e2)
 try:return float(a)
 except ValueError:raise ValueError(f"MAX_WALLCLOCK_SECONDS is {a!r}, wanted seconds like 600.0")from None
def eH():global P,Q,p,R,of,S,T,U,op,og;a=r.environ.get;P=a('DATA_PATH','./data/datasets/fineweb10B_sp1024');Q='export'in d.argv;p=j('ITERATIONS',20000);R=eG();of=a('RUN_ID',str(c.time_ns()));S='score'in d.argv;T=j('SEED',1337);U=a('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');op=j('TRAIN_LOG_EVERY',200);og=j('VAL_LOSS_EVERY',1000)
class Score(o):val_loss:o;l:o;B:o;g:o
def eI(i):
 if i.numel():raise ValueError(f"target {i[0]} of the validation stream is not scored")
def eJ(i):r=eo[i].to(n,e.int64);a=r[:,:-1].contiguous();return a,r[:,1:].contiguous(),eK(a)
def eK(r):return{}
def eL(t,f,i,l):
 c=i[:,1:];t[c[l]]=f;a,r,s=eJ(i)
 with e.set_grad_enabled(False):u=ob(a,r,phases=tG(),fields=s,reduction='none',adapter=None)
 h=aG(a,r,c.to(n));d=l.to(n);o=u.detach().double()*d,d,h*d;return u,e.stack([w.sum().double()for w in o])
def eM(t,o):
 if i>1:t=t.to(n);a.all_reduce(t,o)
 return t.cpu()
def eN(t,r,d):
 eI(1+(t[1:]==0).nonzero().flatten());e,a,o=ew(r).tolist()
 if a>len(t)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(e/a,e/.6931471805599453/o,int(a),1e3*(c.perf_counter()-d))
def eO(scored_at):
 if f==0:l=f"logs/{of}.scores.npz";I.savez_compressed(l,scored_at=scored_at.numpy())
class Span(o):start:o;end:o;E:o
def eP(o):return[Span(a,a+1024,0)for a in range(0,(o-1)//1024*1024,1024)]
def eQ(a):return a[len(a)*f//i:len(a)*(f+1)//i]
def eR(o):
 i=e.zeros(ea,1025,dtype=e.int64);l=e.zeros(ea,1024,dtype=e.bool)
 for(r,(a,t,n))in enumerate(o):i[r,:t+1-a]=e.arange(a,t+1);l[r,n:t-a]=True
 return i,l
def eS(o):
 d=c.perf_counter();w.eval();o=eQ(o);t=e.zeros(len(eo),dtype=e.int32);r=e.zeros(3,dtype=e.float64,device=n)
 for(f,h)in enumerate(range(0,len(o),ea),1):
  i,l=eR(o[h:h+ea]);r+=eL(t,f,i,l)[1]
  if f%100==0:s(f"eval: batch {f}")
 w.train();t=eM(t,a.ReduceOp.MAX);return eN(t,r,d),t
def eT():return{t:o.j for(t,c,o)in y(Z)if o.export!='drop'}
def eU(i,r,w=0):
 d=eT();a={}
 for(t,e)in d.items():n=i[t];s=r.get(t,{});o=O[e].encode(t,n,s,l);a[t]={h:f.cpu()for(h,f)in o.items()}
 return eV(a)
def eV(a):return a
def eW(a):return aB(az(a))
def eX(data,i):
 a=2**20+sum(8*n.numel()+4096 for n in i.values())
 try:return aA(aC(data,a))
 except Exception as o:raise ValueError(f"the artifact cannot be read: {o}")from o
def eY(t,o,e,i):n=O[e].decode(t,o,i);return n
def eZ(a,i):
 d=eT()
 if a.keys()!=d.keys():raise ValueError("the artifact's tensors are not the model's")
 for(t,e)in d.items():
  try:n=te(t,a[t],e,i[t].dtype)
  except Exception as o:raise ValueError(f"the artifact's {t} cannot be decoded: {o!r}")from o
  if n.shape!=i[t].shape:raise ValueError(f"{t}: shape {[*n.shape]}, wanted {[*i[t].shape]}")
  i[t].copy_(n)
def te(t,o,e,i):return eY(t,o,e,i)
def tt(i):
 global V,W,ow;ow=f;V=f==0;t('logs').mkdir(exist_ok=True);W=t('logs',i+'.txt')
 if V and not Q:W.write_text('')
 d.excepthook=h(to,W);faulthandler.register(signal.SIGTERM,W.open('a'),chain=True)
def s(a):
 if V:
  print(a,flush=True)
  with W.open('a')as e:print(a,file=e)
def ta(a):
 if V:s(f"error: {a}")
 elif a not in W.read_text():
  with W.open('a')as e:print(f"rank {ow}: error: {a}",file=e)
def to(path,kind,error,trace):
 with path.open('a')as e:traceback.print_exception(error,file=e)
 d.__excepthook__(kind,error,trace)
def ti():
 a=H.sha256(t(d.argv[0]).read_bytes()).hexdigest();o=f"hardware:{r.uname().machine} CPU, {e.get_num_threads()} threads"
 if n.type=='cuda':o=subprocess.getoutput('nvidia-smi')
 s(f"Running Python {d.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{a}\n{o}")
def q():return len(t(d.argv[0]).read_bytes())
ol='final_model.pt'
def z():return O['mlp'].name
def tn():return t(f"final_model.{z()}.ptz")
def ts(a):
 i=b(w.state_dict(),Z)
 if f==0:t('final_export.pt').unlink(missing_ok=True);A(h(e.save,i),'final_model.pt')
 r=td()
 if f==0:d=r,l.done,g,et,Y;A(h(e.save,d),'final_export.pt')
 tr(i,r)
def tr(i,r):
 o=tH();E('diagnostic','val');s(f"diagnostic pre-quantization post-ema val_loss:{o.val_loss:.8f} val_bpb:{o.l:.8f} eval_time:{o.g:.0f}ms")
 if f==0:tc(i,r)
 eb(.0);tm()
def A(o,l):
 a=t('final_model.tmp')
 try:
  o(a)
  with a.open('rb')as e:r.fsync(e.fileno())
  a.replace(l)
 finally:a.unlink(missing_ok=True)
def th():
 global Y,et,g;i=b(w.state_dict(),Z);a=tl('final_model.pt');d=tl('final_export.pt');o=[t for t in i if t not in a or a[t].shape!=i[t].shape]
 if o:raise ValueError(f"final_model.pt is of another model: {o[0]} is missing or has another shape")
 for(t,n)in i.items():n.copy_(a[t])
 r,e,g,et,Y=d;l.done.update(e);tD(Y);tr(i,r)
def tl(l):
 try:return e.load(l,n,weights_only=True)
 except OSError:raise
 except Exception as o:raise ValueError(f"{l} is damaged: {str(o)[:99]!r}")from o
def td():global X;r={};X=False;return r
def tc(i,r):a=eU(i,r,q());E('quantize','none');d=eW(a);E('compress','none');A(h(t.write_bytes,data=d),tn());e=f"{z()}+zlib";s(f"Serialized model: {t(ol).stat().st_size} bytes\nCode size: {q()} bytes\nSerialized model {e}: {len(d)} bytes\nTotal submission size {e}: {len(d)+q()} bytes")
def tu():
 i=b(w.state_dict(),Z)
 for n in i.values():n.zero_()
 d=tn().read_bytes();a=H.sha256(d).hexdigest()
 if S:
  o=''.join(l.read_text()for l in t('logs').glob('*.txt'))
  if'artifact_sha256:'in o and a not in o:raise ValueError('the artifact is not that of the logs in logs/')
 s('artifact_sha256:'+a);eZ(eX(d,i),i)
def tm():a=z();tu();E('decode','none');o,t=eS(eP(len(eo)));E('score','val');tf(f"{a}_zlib_roundtrip",o);eO(t);l.count('chunked_eval','targets',o.B)
def tf(e,o):s(f"final_{e} val_loss:{o.val_loss:.4f} val_bpb:{o.l:.4f} eval_time:{o.g:.0f}ms\nfinal_{e}_exact val_loss:{o.val_loss:.8f} val_bpb:{o.l:.8f}")
def tp():
 a=[i.r for i in m if i.name not in g];o=False
 for t in oc:
  e=l.q(t)
  if e and t not in a:s(f"receipt {t}: {e}")
  else:s(f"error: plugin {t} did nothing");o=f==0
 return o
class tg:
 def __init__(e):e.x=None;e.H=None;d=[(w.get_parameter(t),er(o,t),o)for o in Z for t in o.s()];e.tensors=[n for(n,a,o)in d];e.names=[a for(n,a,o)in d];e.replicated=[n for(n,a,o)in d if o.reduction=='replicated'];e.u=[n for(n,a,o)in d if o.m];e.b=[a for(n,a,o)in d if o.m];l=[n for(n,a,o)in d if o.group=='matrix'];h=[a for(n,a,o)in d if o.group=='matrix'];aT(l,h);r=[(i,[n for(n,a,o)in d if o.group==i.name],[a for(n,a,o)in d if o.group==i.name])for i in od];aK(r)
 @e.no_grad()
 def step(e,scalars,ledger):
  aU();ek(e.replicated);aL(scalars,ledger);aV(scalars,ledger)
  for n in e.tensors:n.grad=None
def tw(a):
 if e.cuda.is_available():return e.compile(a,dynamic=False,fullgraph=True)
 return a
def ty():return{}
def tb(o,a):return aP(o).contiguous()
def tv(t,i,s):i.mul_(s).add_(t);return t.add(i,alpha=s)
def tk(a):return max(1,a.shape[-2]/a.shape[-1])**.5
class Progress(o):step:o;v:o;p:o;f:o;F:o;i:o
class Scalars(o):i:o;C:o;momentum:o
def tx(a,t,n):e=t/n if n>0 else a/max(p,1);return Progress(a,p,t,n,e,1.)
class Context(o):
 ids:o;phases:o;training:o;a:o;memo:o;fields:o;c:o;w:o;ledger:o
 def t(e,n,a,o=1):
  if e.ledger is not None:e.ledger.count(n,a,o)
def B(a):return u.rms_norm(a,(a.size(-1),),eps=1.1920929e-07)
def tj(o,r,h,n,i,t):
 for s in om:r=s(o,r,h,n,i,t)
 return r
def tq(o,r,a,h,n,i,t):
 r=tj(o,r,h,n,i,t)
 if t.w is not None:t.w(h,n,a)
 return C(u.linear(a,r.to(a.dtype)),a,h,i,t)
def C(r,a,o,i,t):
 if t.c is not None and o in t.c.sites:r=r+t.c.delta(a,o,i)
 return r
def tz(o,t):
 if'rope'not in t.memo:a=o.size(1);i=o.size(3);l=o.device;n=1e4**(-e.arange(0,i,2,dtype=e.float32,device=l)/i);d=e.outer(e.arange(a,dtype=e.float32,device=l),n);t.memo['rope']=d.cos(),d.sin()
 s,w=(f[None,:,None,:].to(o.dtype)for f in t.memo['rope']);r,h=o.chunk(2,-1);return e.cat((r*s+h*w,h*s-r*w),-1)
class GPT(J.Module):
 def __init__(e,r,i):super().__init__();e.G=None;e.x=None;e.records=r;eh(e,r,i)
 def matrices(e):return b(dict(e.named_parameters()),e.records)
 def matrix(e,role,layer,position,ctx):return tj(e,ctx.a[f"blocks.{layer}.{role}.weight"],role,layer,position,ctx)
 def h(e,a,h,n,i,t):return tq(e,t.a[f"blocks.{n}.{h}.weight"],a,h,n,i,t)
 def stem(e,ids,ctx):a=u.embedding(ids,ctx.a['tok_emb.weight']);a=B(a);return a
 def forward(e,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):o=fields or{};i={};fields={**i,**o};t=Context(ids,phases,e.training,e.matrices(),{},fields,adapter,observe,ledger);a=e.stem(ids,t);a=B(am(e,a,a,t));d=ak(e,a,t);w=tV(d,targets,reduction,t);return w
def tA(o):
 o=t(o);a=sorted(l for l in o.parent.glob(o.name)if('_bytes_'in l.name)==('_bytes_'in o.name))
 if not a:raise ValueError(f"{o}: no shard matches, see DATA_PATH")
 return a
def tB(l):
 o=t(l).stat().st_size;a=I.fromfile(l,'<i4',3).tolist()
 if o<=1024 or a!=[20240520,1,(o-1024)/2]:raise ValueError(f"{l}: {o} bytes and header {a}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return a[2]
def D(l):
 a=I.memmap(l,'<u2','r',1024,tB(l))
 if a.max()>=1024:raise ValueError(f"{l}: token {a.argmax()} is {a.max()}, wanted an id below 1024")
 return a
def tC(o):
 a=I.concatenate([D(l)for l in tA(o)])
 if len(a)<=1024:raise ValueError(f"{o}: {len(a)} tokens, wanted at least 1025")
 return e.from_numpy(a[:(len(a)-1)//1024*1024+1])
def tD(t):global oy;oy=c.perf_counter()-t/1e3
def E(t,data):global Y;a=1e3*(c.perf_counter()-oy);s(f"stage:{t} begin:{Y:.0f}ms end:{a:.0f}ms data:{data}");Y=a
def tE(r,h):global Y,et,ob,l,w,Z,g,ee,ea,oy,eo,X;Z=r;l=h;g=();ee='';Y=.0;oy=c.perf_counter();et=False;X=not(S or Q);ea=max(64,1);i=e.bfloat16 if n.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;w=GPT(r,i);ed(r,h);ob=tw(w);o=t(P,'fineweb_val_*.bin');eo=tC(o);aF(h);a=H.sha256(eo.numpy().data).hexdigest();s(f"val_loader:shards pattern={o} tokens:{len(eo)-1}\nval_sha256:{a}")
def F(h):o=t(P,'fineweb_train_*.bin');aH(o,h)
def tF():
 if not X:raise ValueError('training data are closed: training time is over')
 f=aJ();a,r=(w.to(n,non_blocking=True)for w in f);return a,r,{}
def tG():return tuple(i.name for i in m if i.z and i.name in g)
def tH():return eS(eP(len(eo)))[0]
def tI(n):
 a=[()]
 for i in n:a+=[(*o,i.name)for o in a]
 return a
def tJ():
 a,r,s=tF();a,r=a[:1,:512],r[:1,:512];s={t:f[:1,:512]for(t,f)in s.items()};e=tuple(i.name for i in m);w(a,r,phases=e,fields=s,ledger=l).backward()
 for o in Z:n=sum(w.get_parameter(t).grad is not None for t in o.s());l.count(o.r,'trained tensors',n)
 w.zero_grad()
def tK():
 i=w.state_dict();r={t:n.clone()for(t,n)in i.items()};f=tg();d=k();F(d)
 for o in tI(m):
  for a in range(20):tP(f,o,Scalars(1.,1.,.9),d);s(' '.join((f"warmup_step:{a+1}/20",*o)))
 for(t,n)in i.items():n.copy_(r[t])
 e.manual_seed(T);F(l)
def tL(r):
 try:eH();ep();h=k()
 except ValueError as o:print(f"error: {o}",file=d.stderr);d.exit(2)
 i=ey(of)[0];tt(i);e.manual_seed(T);e.backends.cuda.matmul.allow_tf32=True
 if R==0:tN()
 ti();s('plugins:'+' '.join(oc));tM(r,h)
 if X:
  tO();tJ();tK();a=tS()
  try:ts(a)
  except(OSError,ValueError)as o:ta(str(o));d.exit(f"error: rank {f}: {o}")
 t=not S and(tp()or et);eg()
 if t:d.exit(1)
def tM(r,h):
 global g
 try:
  tE(r,h);ez()
  if Q:th()
  elif S:g=tuple(i.name for i in m);tm()
  else:F(k())
  return
 except(OSError,ValueError)as o:
  ta(str(o))
  if not Q:eg()
  d.exit(2)
def tN():r.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def tO():s(f"model_params:{sum(n.numel()for n in w.parameters())}\nworld_size:{i} grad_accum_steps:{8//i}\nseed:{T}\ntrain_batch_tokens:524288 train_seq_len:1024 iterations:{p} warmup_steps:20 max_wallclock_seconds:{R:.3f}")
def tP(f,n,d,h):
 o=8//i;t=.0
 for c in range(o):a,r,s=tF();w=ob(a,r,phases=n,fields=s)/o;t+=w.detach();w.backward()
 f.step(d,h);return t
def tQ(a,t,n):
 global g;o=tx(a,t,n);d=Scalars(1.,1.,.0)
 for r in ou:d=r(o,d,l)
 for i in m:
  if i.name not in g and i.start(o._replace(i=d.i)):g=tuple(e.name for e in m if e.name in g or e is i);l.n(i.r,f"on at step {a}");s(f"phase {i.name} on at step:{a} train_time:{t:.0f}ms")
 return d
def tR():return 1e3*R
def tS():
 f=tg();aQ(f.u,f.b);n=tR();a=0;t=.0;aX()
 while True:
  h=a==p or 0<n<=t
  if h or og>0 and a%og==0:
   aY();o=tH();tT(a,f"val_loss:{o.val_loss:.4f} val_bpb:{o.l:.4f}",t)
   if h:break
   aX()
  d=tQ(a,t,n);w=tP(f,g,d,l);a+=1;aR(f.u,a,d);t=eb(aZ(a))
  if op>0 and(a<=10 or a%op==0):
   tT(a,f"train_loss:{w:.4f}",t)
   if w!=w:raise ValueError('the training loss is not a number')
 if a<p:s(f"stopping_early: wallclock_cap train_time:{t:.0f}ms step:{a}/{p}")
 i=e.cuda.max_memory_allocated()>>20;r=e.cuda.max_memory_reserved()>>20;s(f"peak memory allocated: {i} MiB reserved: {r} MiB");aS(f.u);tD(t);E('train','train');return a
def tT(a,o,t):s(f"step:{a}/{p} {o} train_time:{t:.0f}ms step_avg:{t/max(a,1):.2f}ms")
def tU(a,o,e,t):t.t('additive_skips','skips');return a+t.a['skip_weights'][e].to(a.dtype)*o
def tV(a,o,reduction,t):t.t('cross_entropy','losses');w=u.cross_entropy(a.flatten(0,1).float(),o.flatten(),reduction=reduction);return w.view_as(o)if reduction=='none'else w
def tW(o,t):t.t('partial_rope','rotations');a=tz(o[...,:16],t);return e.cat((a,o[...,16:]),-1)
def tX(model,q_BTHC,k_BTKC,n_BTD,layer,position,ctx):
 if layer<4:return q_BTHC,k_BTKC
 ctx.t('pko','layers');a=k_BTKC[...,16:];r=e.cat((a[:,:1],a[:,:-1]),dim=1)
 if'starts'in ctx.fields:r=e.where(ctx.fields['starts'][:,:,None,None],a,r)
 return q_BTHC,e.cat((k_BTKC[...,:16],r),dim=-1)
def tY(model,q_BTHC,k_BTKC,n_BTD,layer,position,ctx):ctx.t('qk_gain','layers');a=ctx.a[f"blocks.{layer}.attn.q_gain"].to(q_BTHC.dtype);return q_BTHC*a[:,None],k_BTKC
def tZ(o,d,n,i,t):t.t('relu2','layers');a=u.relu(o.h(d,'mlp.fc',n,i,t)).square();return o.h(a,'mlp.proj',n,i,t)
def ae(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def at(o,d,n,i,t):
 a=o.h(d,'attn.c_q',n,i,t);l=o.h(d,'attn.c_k',n,i,t);h=o.h(d,'attn.c_v',n,i,t);a=tW(B(e.unflatten(a,2,(8,-1))),t);l=tW(B(e.unflatten(l,2,(4,-1))),t);h=e.unflatten(h,2,(4,-1))
 for s in(tX,tY):a,l=s(o,a,l,d,n,i,t)
 r=av(a,l,h,n,t);r=o.h(r.flatten(2),'attn.proj',n,i,t);return C(r,d,'attn',i,t)
def aa(s,w,o,i,t):
 a=s.transpose(1,2);l=w.transpose(1,2);h=o.transpose(1,2)
 if i<0 or i>=a.size(2)-1:e=a.size(1)!=l.size(1);return u.scaled_dot_product_attention(a,l,h,is_causal=True,enable_gqa=e).transpose(1,2)
 return ao(s,w,o,ai(a.size(2),i,a.device,t))
def ao(s,w,o,d):a=s.transpose(1,2);l=w.transpose(1,2);h=o.transpose(1,2);i=a.size(1)//l.size(1);l=l.repeat_interleave(i,1);h=h.repeat_interleave(i,1);return u.scaled_dot_product_attention(a,l,h,attn_mask=d).transpose(1,2)
def ai(length,i,device,t):
 h='window',i
 if h not in t.memo:o=e.arange(length,device=device);r=o[:,None]-o[None,:];t.memo[h]=(r>=0)&(r<=i)
 d=t.memo[h];return d
def an(a,d,n,t):o=t.a[f"blocks.{n}.resid_mix"].to(a.dtype);return o[0]*a+o[1]*d
def ar(a):o=B(a);return o
def ah(o,d,n,i,t):a=at(o,d,n,i,t);return t.a[f"blocks.{n}.attn_scale"].to(d.dtype)*a
def al(o,d,n,i,t):a=C(tZ(o,d,n,i,t),d,'mlp',i,t);return t.a[f"blocks.{n}.mlp_scale"].to(d.dtype)*a
def ad(o,a,d,n,i,t):r=an(a[0],d,n,t);r=r+ah(o,ar(r),n,i,t);return r+al(o,ar(r),n,i,t),
def ac(a,o,e,n,t):
 if o is None:return a
 return tU(a[0],o,e,t),*a[1:]
def au(o,a,d,t):
 h,l=ax();t.t('unet_plan','steps over 9 layers',len(h)+len(l));r=[]
 for(i,n)in enumerate(h):a=ad(o,a,d,n,i,t);r.append(a[0])
 for(e,n)in enumerate(l):a=ac(a,r.pop()if r else None,e,n,t);a=ad(o,a,d,n,len(h)+e,t)
 return a
def am(o,a,e,t):t.t('sequential_wiring','walks');return au(o,(a,),e,t)[0]
def af():
 if n.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as a;return'flash-attn 3',a
 except ImportError:
  try:from flash_attn import flash_attn_func as a;return'flash-attn 2',a
  except ImportError:return aw(),None
def ap(a,s,w,o,i):r=a(s,w,o,causal=True,window_size=(i,0));return r[0]if isinstance(r,tuple)else r
def ag(a,s,w,o,i,t):
 if a is not None:return ap(a,s,w,o,i)
 return aa(s,w,o,i,t)
def aw():a=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not a);e.backends.cuda.enable_flash_sdp(a);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if a else'cuDNN'
def ay():
 def a(batch,head,query,key):return(query>=key)&(query-key<=256)
 return a
def ab():
 global K;t,K=af()
 if n.type!='cuda'or K is not None:return t
 for a in(1024,1024):o=ay();L[a]=create_block_mask(o,None,None,a,a,device=n)
 return f"flex_attention (windows), {t} (full)"
def av(a,l,h,n,t):
 o=n<4;t.t('swa','windowed layers'if o else'full layers');i=256 if o else-1
 if o and t.ledger is None and a.size(1)in L:e=a.size(2)!=l.size(2);d=a.transpose(1,2),l.transpose(1,2),h.transpose(1,2);r=flex_attention(*d,block_mask=L[a.size(1)],enable_gqa=e);return r.transpose(1,2)
 return ag(K,a,l,h,i,t)
def ak(o,a,t):t.t('tied_head','heads');i=tq(o,t.a['tok_emb.weight'],a,'head',0,0,t);return 3e1*e.tanh(i/3e1)
def ax():a=tuple(range(9));return a[:len(a)//2],a[len(a)//2:]
def G(tensor,generator,ledger):a=tensor.shape[-1]**-.5;tensor.uniform_(-a,a,generator=generator);ledger.count('uniform_init','matrices')
def aj(a):i=io.BytesIO();r={d.intern(t):{d.intern(h):w for(h,w)in o.items()}for(t,o)in a.items()};e.save(r,i);return i.getvalue()
def aq(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def az(a):d=aj(a);l.n('torch_save',f"{len(a)} tensors in {len(d)} bytes");return d
def aA(data):return aq(data)
def aB(data):s=zlib.compress(data,9);l.n('zlib',f"{len(data)} -> {len(s)} bytes");return s
def aC(data,a):
 l=zlib.decompressobj();o=l.decompress(data,a)
 if not l.eof or l.unused_data:raise ValueError(f"wanted one whole stream of at most {a} bytes")
 return o
def aD():
 try:a=SentencePieceProcessor(U)
 except(OSError,RuntimeError)as o:raise OSError(f"{U}: not a SentencePiece model")from o
 if len(a)>1024:raise ValueError(f"{U} has {len(a)} pieces, wanted at most vocab_size=1024")
 if a.piece_to_id('\u2581')==a.unk_id():raise ValueError(f"{U}: U+2581 is not a piece of its own")
 return a
def aE(a):
 w=[(0,0,1)]*1024
 for o in range(len(a)):
  if not(a.is_control(o)or a.is_unknown(o)or a.is_unused(o)):t=a.id_to_piece(o);i=t.startswith('\u2581');w[o]=1 if a.is_byte(o)else len(t.encode())-3*i,i,0
 return e.tensor(w).T
def aF(h):
 global oD,oC,ov,oB
 if any(t(P).glob('*_bytes_*')):raise ValueError(f"{P}: it has byte side files, build with the plugin that reads them")
 a=aE(aD());oB,oC,oD=a.to(n);ov=h
def aG(o,a,t):ov.count('sentencepiece_bytes','targets',a.numel());h=oB[a]+(oC[a]&~oD[o]);return h
def aH(o,h):
 global ei,oj,ok,en,ox;ei=tA(o)
 for l in ei:tB(l)
 ok=f;ox=i;oj=h;en=D(ei[0])
def aI(a):
 global en;o=[]
 while a>0:
  if not len(en):ei.append(ei.pop(0));en=D(ei[0])
  o.append(en[:a]);en=en[a:];a-=len(o[-1])
 return I.concatenate(o)
def aJ():t=aI(ox*65537).reshape(ox,-1)[ok];t=e.from_numpy(t.astype(int));oj.count('sequential_loader','batches');return t[:-1].reshape(-1,1024),t[1:].reshape(-1,1024)
def aK(r):global oq;d=[{'params':h,'spec':i}for(i,h,a)in r];oq=e.optim.AdamW(d,betas=(.9,.95),eps=1e-08,fused=True)
def aL(d,h):
 for i in oq.param_groups:i['lr']=i['spec'].lr*d.i;i['weight_decay']=i['spec'].weight_decay*d.C
 oq.step();h.count('adam','steps')
def aM(progress,scalars,ledger,start,final,steps):t=min(progress.step/steps,1.)if steps>0 else 1.;s=(1-t)*start+t*final;ledger.n('momentum_warmup',f"momentum {s:.4f} at step {progress.step}");return scalars._replace(momentum=s)
def aN(a,e,t):
 i=a.shape[-2]>a.shape[-1]
 if i:a=a.mT
 a=a/(a.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for c in range(e):o=a@a.mT;r=2.0315*o@o if t else 2.0315*(o@o);a=3.4445*a+(-4.775*o+r)@a
 return a.mT if i else a
def aO(update,steps,scale_first):return aN(update.bfloat16(),steps,scale_first)
def aP(o):
 global N
 if N is None:N=tw(aO)
 return N(o,5,False)
def aQ(h,a):0
def aR(h,e,d):0
def aS(h):l.n('no_average','last weights')
class MuonBank(o):weight:o;names:o;k:o;full:o;y:o;momentum:o;Z:o
def aT(h,a):
 global es,oF;oF=ty();es=[];p=e.bfloat16 if n.type=='cuda'else e.float32
 for(r,g)in sorted(zip(h,a,strict=True),key=lambda pair:-pair[0].numel()):*c,w,W=r.shape;u=-(-len(g)//i);d=(*g,*['']*u*i)[u*f:][:u];E=[(o,w,W)for o in(u*i,u)];l,t=[e.zeros(m,dtype=p,device=n)for m in E];Z,s=[e.zeros(m,dtype=e.bfloat16,device=n)for m in E];es.append(MuonBank(r,g,d,l,t,s,Z))
def aU():
 global oz;oz=[]
 for e in es:t=ev(e.weight).bfloat16();e.full.flatten()[:t.numel()].copy_(t.flatten());oz.append(ex(e.y,e.full))
def aV(d,h):
 a=[]
 for(e,n)in zip(es,oz,strict=True):
  eq(n);l=i;t=(e.y/l).bfloat16();o=tv(t,e.momentum,d.momentum);o=tb(o,e.k);a.append((e,ej(e.Z,o),o))
  if len(a)>1:aW(*a.pop(0),d,h)
 for r in a:aW(*r,d,h)
def aW(e,n,o,d,h):eq(n);r,i=e.weight,.04*d.i;a=e.Z.flatten()[:r.numel()].view_as(r);r.add_(a,alpha=-i*tk(r));h.count('parallel_muon','bank updates');h.count('newton_schulz','matrices',e.Z.size(0))
def aX():global oA;oA=c.perf_counter()-M
def aY():
 global M
 if e.cuda.is_available():e.cuda.synchronize()
 M=c.perf_counter()-oA;l.n('wall_clock',f"{M:.3f} seconds")
def aZ(a):return 1e3*(c.perf_counter()-oA)
def oe(o,length):
 if length<=0:return 1.
 if o.f>0:t=length*(o.p/max(o.step,1));return min(max(o.f-o.p,.0)/max(t,1e-09),1.)
 e=o.v-o.step;return e/length if 0<e<=length else 1.
def ot(progress,scalars,ledger,length):t=oe(progress,length);ledger.n('warmdown_iters',f"multiplier {t:.4f} at step {progress.step}");return scalars._replace(i=scalars.i*t)
def oa(model,weight,role,layer,position,ctx,half):
 if role=='head'or not ctx.training or'bank_qat'not in ctx.phases:return weight
 ctx.t('bank_qat','matrices');l,a=eD(weight.detach().float(),half);return weight+(eC(l,a,weight.dtype)-weight).detach()
def oo(progress,threshold):return progress.i<threshold
class oi:
 name='int6'
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int6','tensors kept');return{'kept':tensor.half()}
  ledger.count('int6','tensors quantized');l,a=eD(tensor.float(),True);return{'codes':l,'step':a}
 def decode(e,name,parts,kind):return eF(parts,kind)
class on:
 name='int8'
 def __init__(e,half):e.half=half
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if e.half else tensor.float()}
  ledger.count('int8','tensors quantized');l,a=eE(tensor.float());return{'codes':l,'step':a}
 def decode(e,name,parts,kind):return eF(parts,kind)
def os():return Param('qo_bank',(18,512,512),'matrix','attn',(G,ec),'banks',d=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(18,256,512),'matrix','attn',(G,G),'banks',d=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(9,1024,512),'matrix','mlp',(G,),'banks',d=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(9,512,1024),'matrix','mlp',(ec,),'banks',d=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(4,512),'scalar','control',v,'additive_skips'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',h(eu,value=1.5),'qk_gain',layers=9),Param('blocks.{}.attn_scale',(512,),'scalar','control',v,'residual_scales',layers=9),Param('blocks.{}.mlp_scale',(512,),'scalar','control',v,'residual_scales',layers=9),Param('blocks.{}.resid_mix',(2,512),'scalar','control',ae,'residual_scales',layers=9),Param('tok_emb.weight',(1024,512),'embed','embed',h(em,std=.005),'tied_head','activation',A='head')
def oh():global ee;ee='swa';eA(ab())
K=None
L={}
M=.0
od=Group('embed',.05),Group('scalar',.04)
N=None
m=Phase('bank_qat',h(oo,threshold=.15),False,'bank_qat'),
oc='adam','additive_skips','bank_qat','banks','chunked_eval','cross_entropy','int6','int8','momentum_warmup','newton_schulz','no_average','parallel_muon','partial_rope','pko','qk_gain','relu2','residual_scales','sentencepiece_bytes','sequential_loader','sequential_wiring','swa','tied_head','torch_save','unet_plan','uniform_init','wall_clock','warmdown_iters','zlib'
ou=h(aM,final=.95,start=.85,steps=500),h(ot,length=1200)
O={'attn':oi(),'control':on(False),'embed':on(True),'mlp':oi()}
om=h(oa,half=True),
if __name__=='__main__':tL(os())